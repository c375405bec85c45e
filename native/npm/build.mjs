// Makes the files of the root package that do not depend on what is packed: index.cjs, index.js and their declarations.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const SOURCE = fileURLToPath(new URL('.', import.meta.url));
const RAW_TYPE = /^export type RawLibrary = .*;$/m;

/**
 * Writes index.cjs, index.js, index.d.ts and index.d.cts into `folder`.
 *
 * @param {string} folder
 */
export async function buildNpmRuntime(folder) {
  await mkdir(folder, { recursive: true });
  const names = await bundle(join(folder, 'index.cjs'));
  await writeFile(join(folder, 'index.js'), wrapper(names));
  const declarations = await declare();
  await writeFile(join(folder, 'index.d.ts'), declarations.replace(RAW_TYPE, rawType('./libkrun.js')));
  await writeFile(join(folder, 'index.d.cts'), declarations.replace(RAW_TYPE, rawType('./libkrun.cjs')));
}

/** One implementation, in CommonJS: two would have two classes of each error. */
async function bundle(outfile) {
  const options = {
    absWorkingDir: SOURCE,
    entryPoints: ['index.ts'],
    bundle: true,
    platform: 'node',
    target: 'node20.18',
    external: ['./platform.cjs'],
    charset: 'utf8',
    logLevel: 'warning',
    metafile: true,
  };
  await build({ ...options, outfile, format: 'cjs' });
  const { metafile } = await build({ ...options, outfile, format: 'esm', write: false });
  return Object.values(metafile.outputs)[0].exports.toSorted();
}

function wrapper(names) {
  return `import library from './index.cjs';\n\nexport const { ${names.join(', ')} } = library;\n`;
}

/** One file for all: what api.ts and the entry declare, without the imports between them. */
async function declare() {
  const { default: ts } = await import('typescript');
  const compilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    isolatedDeclarations: true,
  };
  const parts = [];
  for (const name of ['api.ts', 'exit-code.ts', 'index.ts']) {
    const { outputText, diagnostics = [] } = ts.transpileDeclaration(await readFile(join(SOURCE, name), 'utf8'), {
      fileName: name,
      compilerOptions,
      reportDiagnostics: true,
    });
    if (diagnostics.length > 0)
      throw new Error(`${name}: ${ts.flattenDiagnosticMessageText(diagnostics[0].messageText, '\n')}`);
    parts.push(outputText.replaceAll(/^(?:import|export) [^;]* from '\.\/[^']*';\n/gm, ''));
  }
  const text = parts.join('').replaceAll(/^export \{\};\n/gm, '');
  if (text.match(new RegExp(RAW_TYPE, 'gm'))?.length !== 1) throw new Error('api.ts declares no RawLibrary');
  if (/'\.\//.test(text)) throw new Error('the declarations still import from the source');
  return text;
}

function rawType(module) {
  return `export type RawLibrary = Readonly<typeof import('${module}')>;`;
}
