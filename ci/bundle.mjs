/**
 * Makes dist/: what the published package runs. The command line and the functions share lazily loaded chunks, so
 * that a run with nothing to do loads little; each worker is one file, since it runs in a process of its own.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { chmod, cp, rm } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, relative } from 'node:path';
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
      "const require = globalThis.process.getBuiltinModule('node:module').createRequire(import.meta.url);",
      'const __filename = import.meta.filename, __dirname = import.meta.dirname;',
    ].join('\n'),
  },
};

/**
 * Takes Node's own modules from `process.getBuiltinModule`: for an `import` of one Node reads every property of it to list
 * its exports, and with that loads parts that nobody asked for (WebCrypto, reports, MIME types).
 */
function withoutFacades({ outputFiles, metafile }) {
  for (const { path, text } of outputFiles) {
    if (!path.endsWith('.js')) continue;
    let count = 0;
    const content = text.replace(IMPORT, (_whole, names, from) => {
      count += 1;
      return bindingsOf(names.trim(), `globalThis.process.getBuiltinModule("${from}")`);
    });
    const { imports } = metafile.outputs[relative(root, path)];
    const expected = imports.filter((one) => one.external && one.kind === 'import-statement' && isBuiltin(one.path));
    if (count !== expected.length) throw new Error(`${path}: replaced ${count} imports of ${expected.length}`);
    writeWhole(path, content);
  }
}

const IMPORT = /(?<=^|[;}\n])import(\{[^}]*\}|\*as [\w$]+ |[ ][\w$]+(?:,\{[^}]*\}| ))from"((?:node:)?[a-z_/]+)";/g;

/** Declares the names of an import statement; the default export is the module itself. */
function bindingsOf(names, module) {
  const [, whole, parts] = /^(?:\*as )?([\w$]+)?,?(\{.*\})?$/s.exec(names);
  const fields = parts?.replace(/([\w$]+) as ([\w$]+)/g, '$1:$2');
  if (whole === undefined) return `const ${fields}=${module};`;
  return `const ${whole}=${module}${fields === undefined ? '' : `,${fields}=${whole}`};`;
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
  metafile: true,
});
withoutFacades(program);
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
