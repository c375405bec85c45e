import type { Preview } from '../run/preview.ts';
import { preview } from './build.ts';
import type { CommonOptions, Surroundings } from './session.ts';

/** Prints what a build would do, as text or as JSON, on standard output. */
export async function printPreview(
  options: CommonOptions,
  surroundings: Surroundings,
  out: NodeJS.WritableStream,
  json: boolean,
): Promise<void> {
  const result = await preview(options, surroundings);
  out.write(json ? `${JSON.stringify(result, null, 2)}\n` : previewText(result));
}

function previewText({ tool, target, outDir, steps, leftOut }: Preview): string {
  const rows = steps.map(({ id, action, why }) => `${action.padEnd(8)} ${id.padEnd(10)} ${why}`);
  const others = leftOut.map(({ step, why }) => `left out ${step.padEnd(10)} ${why}`);
  return [`a3s-build ${tool} · ${target} · into ${outDir}`, ...rows, ...others, ''].join('\n');
}
