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
  // The ES modules of packages that have both: they can be cut down to what is used.
  mainFields: ['module', 'main'],
  legalComments: 'linked',
  logLevel: 'warning',
  // What bundled CommonJS packages expect to find.
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      "import { fileURLToPath as __fileURLToPath } from 'node:url';",
      'const require = __createRequire(import.meta.url);',
      'const __filename = __fileURLToPath(import.meta.url);',
      "const __dirname = __fileURLToPath(new URL('.', import.meta.url));",
    ].join('\n'),
  },
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
await build({
  ...common,
  entryPoints: ['pipeline/bindings/libclang/worker.ts'],
  outfile: `${dist}/libclang-worker.js`,
  external: ['libclangjs'],
});
await build({
  ...common,
  entryPoints: ['pipeline/steps/napi-build-worker.ts'],
  outfile: `${dist}/napi-build-worker.js`,
  external: ['@napi-rs/lzma', '@napi-rs/tar', '@napi-rs/wasm-tools', '@napi-rs/cross-toolchain', 'emnapi'],
});
await chmod(`${dist}/cli.js`, 0o755);
