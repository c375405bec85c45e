/**
 * Makes dist/: what the published package runs. The command line and the functions share lazily loaded chunks, so
 * that a run with nothing to do loads little; each worker is one file, since it runs in a process of its own.
 */
import { chmod, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = `${root}dist`;

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.18',
  legalComments: 'linked',
  logLevel: 'warning',
  // Bundled CommonJS packages call require for Node's own modules.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
};

await rm(dist, { recursive: true, force: true });
await build({
  ...common,
  entryPoints: { cli: 'pipeline/cli.ts', index: 'pipeline/index.ts' },
  outdir: dist,
  splitting: true,
  minifySyntax: true,
  chunkNames: 'chunks/[name]-[hash]',
});
await build({ ...common, entryPoints: ['pipeline/bindings/libclang/worker.ts'], outfile: `${dist}/libclang-worker.js`, external: ['libclangjs'] });
await build({
  ...common,
  entryPoints: ['pipeline/steps/napi-build-worker.ts'],
  outfile: `${dist}/napi-build-worker.js`,
  external: ['@napi-rs/lzma', '@napi-rs/cross-toolchain', '@emnapi/*', 'emnapi'],
});
await chmod(`${dist}/cli.js`, 0o755);
