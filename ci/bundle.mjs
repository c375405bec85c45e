/**
 * Makes dist/: what the published package runs. The command line and the functions share lazily loaded chunks, so
 * that a run with nothing to do loads little; each worker is one file, since it runs in a process of its own.
 *
 * esbuild turns TypeScript into modules and cuts them apart at every border between what is loaded with what; Rollup then
 * joins those that the frequent commands load anyway, since each file costs Node half a millisecond, and writes CommonJS:
 * Node's loader of ES modules costs a short command a twentieth of its time.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { chmod, cp, rm, symlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { rollup } from 'rollup';
import { buildNpmRuntime } from '../native/npm/build.mjs';
import { bundledLicences } from './bundled-licences.mjs';

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
  // Whole texts are in THIRD-PARTY-LICENSES.txt.
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
};

/** What bundled CommonJS packages expect to find in a worker. */
const WORKER = {
  ...common,
  banner: {
    js: [
      "const require = globalThis.process.getBuiltinModule('node:module').createRequire(import.meta.url);",
      'const __filename = import.meta.filename, __dirname = import.meta.dirname;',
    ].join('\n'),
  },
};

/** What a CommonJS file has instead of the fields of `import.meta`. */
const OWN_PLACE = {
  url: "require('node:url').pathToFileURL(__filename).href",
  filename: '__filename',
  dirname: '__dirname',
};

/**
 * What the check of the bindings loads, in this order, and what a build loads. A module goes to the first part that needs
 * it; where a build needs it too, to a file of its own, so that neither loads what only the other one uses.
 */
const PARTS = {
  start: ['pipeline/cli.ts'],
  parser: ['pipeline/commands/plain-check.ts'],
  check: [
    'pipeline/commands/bindings-check.ts',
    'pipeline/commands/outcome.ts',
    'pipeline/bindings/libclang/in-process.ts',
  ],
  compare: [
    'pipeline/bindings/target-irs.ts',
    'pipeline/commands/bindings-compare.ts',
    'pipeline/commands/bindings-findings.ts',
  ],
  build: ['pipeline/commands/main.ts', 'pipeline/commands/build.ts'],
  documents: ['pipeline/plan/config-file.ts'],
};

/** Joins the modules that esbuild made into few files, and writes them. */
async function joinModules({ outputFiles, metafile }, entries) {
  const modules = new Map(outputFiles.map(({ path, text }) => [path, text]));
  const loaded = Object.fromEntries(
    Object.entries(PARTS).map(([name, sources]) => [name, loadedWith(sources, metafile)]),
  );
  const bundle = await rollup({
    input: Object.fromEntries(entries.map((name) => [name, `${dist}/${name}.js`])),
    external: (id) => !id.startsWith('.') && !id.startsWith(root),
    treeshake: false,
    plugins: [
      {
        name: 'modules-in-memory',
        resolveId: (id, from) => (modules.has(id) ? id : id.startsWith('.') ? resolve(dirname(from), id) : null),
        load: (id) => modules.get(id) ?? null,
        resolveImportMeta: (field) => OWN_PLACE[field] ?? null,
      },
    ],
  });
  const { output } = await bundle.generate({
    format: 'cjs',
    compact: true,
    // Node 20 knows no import() in code that was kept: see pipeline/effects/code-cache.ts.
    dynamicImportInCjs: false,
    entryFileNames: '[name].cjs',
    chunkFileNames: 'chunks/[name]-[hash].cjs',
    manualChunks: (id, { getModuleInfo }) => {
      // The program finds its folder by its own place, which is not among the chunks.
      if (getModuleInfo(id)?.isEntry) return undefined;
      const first = Object.keys(loaded).find((name) => loaded[name].has(id));
      const shared = first !== 'build' && loaded.build.has(id);
      return shared ? `${first}-and-build` : first;
    },
  });
  for (const { fileName, code } of output) writeWhole(`${dist}/${fileName}`, code);
}

/** Paths of the modules that are loaded with any of `sources`, as esbuild has cut them. */
function loadedWith(sources, { outputs }) {
  const found = new Set();
  const visit = (path) => {
    if (found.has(path)) return;
    found.add(path);
    for (const { path: next, kind, external } of outputs[path].imports) {
      if (kind === 'import-statement' && !external) visit(next);
    }
  };
  for (const source of sources) {
    const made = Object.keys(outputs).find((path) => outputs[path].entryPoint === source);
    if (made === undefined) throw new Error(`${source} is not loaded lazily any more`);
    visit(made);
  }
  return new Set([...found].map((path) => resolve(root, path)));
}

function writeWhole(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

await rm(dist, { recursive: true, force: true });
const program = await build({
  ...common,
  entryPoints: { cli: 'pipeline/cli.ts', index: 'pipeline/index.ts' },
  outdir: dist,
  splitting: true,
  // Less text to parse at every start; names stay, so that stack traces can be read.
  minifyWhitespace: true,
  minifySyntax: true,
  chunkNames: 'chunks/[name]-[hash]',
  write: false,
});
await joinModules(program, ['cli', 'index']);
const parserWorker = await build({
  ...WORKER,
  entryPoints: ['pipeline/bindings/libclang/worker.ts'],
  outfile: `${dist}/libclang-worker.js`,
  external: ['libclangjs'],
});
const napiWorker = await build({
  ...WORKER,
  entryPoints: ['pipeline/steps/napi-build-worker.ts'],
  outfile: `${dist}/napi-build-worker.js`,
  external: ['@napi-rs/wasm-tools'],
});
writeWhole(
  `${dist}/THIRD-PARTY-LICENSES.txt`,
  bundledLicences(
    [program, parserWorker, napiWorker].map(({ metafile }) => metafile),
    root,
  ),
);
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
  [...declare, '-o', `${dist}/index.d.cts`, 'pipeline/index.ts'],
  {
    cwd: root,
  },
);
await chmod(`${dist}/cli.cjs`, 0o755);
// npx remembers where a folder had its program when it first ran there: in older checkouts, at this name. npm packs no
// links, so that the package does not have it.
await symlink('cli.cjs', `${dist}/cli.js`);
