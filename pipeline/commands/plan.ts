import { nameWidth } from '../run/lines.ts';
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
  const width = nameWidth({ steps });
  const rows = steps.map(({ name, action, why }) => `${action.padEnd(8)} ${name.padEnd(width)} ${why}`);
  const others = leftOut.map(({ step, why }) => `left out ${step.padEnd(width)} ${why}`);
  return [`a3s-build ${tool} · ${target} · into ${outDir}`, ...rows, ...others, ''].join('\n');
}
