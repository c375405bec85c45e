import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const ROOT = new URL('../../', import.meta.url).pathname;

const bundled = new Map<string, Promise<string>>();

/**
 * Bundles the worker of the embedded parser, since the oldest Node that is supported cannot run TypeScript, and
 * returns its path: below node_modules, from where the parser's package resolves.
 */
export function bundleWorker(): Promise<string> {
  return bundleScript('pipeline/bindings/libclang/worker.ts');
}

/** Bundles a program of the repository in the same way, and returns its path. */
export function bundleScript(entry: string): Promise<string> {
  const script = bundled.get(entry) ?? write(entry);
  bundled.set(entry, script);
  return script;
}

async function write(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, entry)],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    write: false,
  });
  const content = outputFiles[0]?.contents ?? new Uint8Array();
  const folder = join(ROOT, 'node_modules/.cache/a3s-build-test');
  const path = join(
    folder,
    `${basename(entry, '.ts')}-${createHash('sha256').update(content).digest('hex').slice(0, 16)}.mjs`,
  );
  mkdirSync(folder, { recursive: true });
  // Test files run side by side and may all want to write the same file.
  const temporary = `${path}.${process.pid}.${Date.now()}`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
  return path;
}
