/**
 * Makes dist/: what the published package runs. The command line and the functions share lazily loaded chunks, so
 * that a run with nothing to do loads little; each worker is one file, since it runs in a process of its own.
 */
import { execFile } from 'node:child_process';
import { chmod, cp, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { buildNpmRuntime } from '../native/npm/build.mjs';

const run = promisify(execFile);

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
  // Less text to parse at every start; names stay, so that stack traces can be read.
  minifyWhitespace: true,
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
  external: ['@napi-rs/wasm-tools'],
});
await buildNpmRuntime(`${dist}/npm`);
// npm packs no links, and the crate's generated modules are links into generated/.
await cp(`${root}native/libkrun-sys`, `${dist}/libkrun-sys`, {
  recursive: true,
  dereference: true,
  filter: (path) => !path.startsWith(`${root}native/libkrun-sys/target`),
});
const declare = ['--project', 'tsconfig.json', '--no-check', '--no-banner', '--silent'];
await run(
  `${root}node_modules/.bin/dts-bundle-generator`,
  [...declare, '-o', `${dist}/index.d.ts`, 'pipeline/index.ts'],
  {
    cwd: root,
  },
);
await chmod(`${dist}/cli.js`, 0o755);
