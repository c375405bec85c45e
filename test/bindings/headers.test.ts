import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { emitAbi } from '../../pipeline/bindings/abi.ts';
import { emitDts } from '../../pipeline/bindings/emit-dts.ts';
import { emitNapi } from '../../pipeline/bindings/emit-napi.ts';
import { emitSys } from '../../pipeline/bindings/emit-sys.ts';
import { generateBindings } from '../../pipeline/bindings/generate.ts';
import type { HeaderIr } from '../../pipeline/bindings/ir.ts';
import { nodeModel } from '../../pipeline/bindings/napi-model.ts';
import { disagreements } from '../helpers/c-facts.ts';
import { compileAsOneCrate } from '../helpers/compile-rust.ts';
import { HEADER_FOLDER, HEADER_NAMES, parseFixtureHeaders, readFixtureHeader } from '../helpers/fixture-headers.ts';

const LOCK = readFileSync(new URL('../fixtures/napi/workspace.lock', import.meta.url), 'utf8');
let irs: ReadonlyMap<string, HeaderIr> = new Map();
const irOf = (name: string): HeaderIr => irs.get(name) ?? expect.unreachable(`${name}.h was not parsed`);

/** The modules of the addon's crate that differ from header to header. */
function napiSource(ir: HeaderIr): string {
  const { files } = emitNapi(ir, { docs: true, runtimePath: 'native/node', lock: LOCK });
  return files
    .filter(({ path }) => /\/(?:constants|functions)\.rs$/.test(path))
    .map(({ path, content }) => `// ${path}\n${content}`)
    .join('\n');
}

beforeAll(async () => {
  irs = await parseFixtureHeaders();
}, 60_000);

describe.each(HEADER_NAMES)('the feature %s', (name) => {
  it('gives exactly the committed files in three languages, lock and list of what was left out', async () => {
    const ir = irOf(name);
    const skipped = [...ir.skipped, ...nodeModel(ir).skipped].map(
      (one) => `${one.place.file}:${one.place.line} ${one.name}, ${one.output}: ${one.reason}\n`,
    );
    await expect(emitSys(ir, { docs: true }).content).toMatchFileSnapshot(`${HEADER_FOLDER}${name}.sys.rs`);
    await expect(napiSource(ir)).toMatchFileSnapshot(`${HEADER_FOLDER}${name}.napi.rs`);
    await expect((await emitDts(ir, { docs: true })).content).toMatchFileSnapshot(`${HEADER_FOLDER}${name}.d.ts`);
    await expect(emitAbi([ir]).content).toMatchFileSnapshot(`${HEADER_FOLDER}${name}.abi.json`);
    await expect(skipped.join('')).toMatchFileSnapshot(`${HEADER_FOLDER}${name}.skipped.txt`);
  });
});

/** Everything that is committed for a header: raw bindings, the addon's crate, declarations, lock. */
async function committed(ir: HeaderIr): Promise<string> {
  const { files } = await generateBindings([ir], {
    docs: false,
    lock: LOCK,
    missing: [],
    versions: { package: '1.0.0', tool: '1.0.0' },
  });
  return files.map(({ content }) => content).join('\n');
}

/** What the header's comments say, sentence by sentence, as far as it is more than a word. */
function proseOf(ir: HeaderIr): readonly string[] {
  const docs = ir.items.flatMap((item) => (item.docs === null ? [] : [item.docs]));
  const texts = docs.flatMap(({ summary, details, parameters, returns, deprecated }) =>
    [summary, details, returns, deprecated ?? '', ...Object.values(parameters)].flatMap((text) => text.split('\n')),
  );
  return texts.map((text) => text.trim()).filter((text) => text.includes(' '));
}

it('leave none of the prose of their comments in the files that are committed', async () => {
  const prose = new Map(HEADER_NAMES.map((name) => [name, proseOf(irOf(name))]));
  expect([...prose.values()].flat().length).toBeGreaterThan(50);
  for (const [name, texts] of prose) {
    const content = await committed(irOf(name));
    expect(
      texts.filter((text) => content.includes(text)),
      name,
    ).toEqual([]);
    expect(content).not.toContain('evil');
  }
});

it('have hostile comments that reach no emitted file but as words inside a comment', async () => {
  const ir = irOf('hostile-comments');
  const { files } = await generateBindings([ir], {
    docs: true,
    lock: LOCK,
    missing: [],
    versions: { package: '1.0.0', tool: '1.0.0' },
  });
  const sources = files.filter(({ path }) => /\.(?:rs|d\.ts)$/.test(path));
  expect(sources.filter(({ content }) => content.includes('evil')).map(({ path }) => path)).toEqual([
    'sys.rs',
    'stub.rs',
    'napi/src/constants.rs',
    'napi/src/functions.rs',
    'libkrun.d.ts',
  ]);
  for (const { path, content } of files) {
    // Direction marks and their like, spelled out because they cannot be seen.
    expect(content, path).not.toMatch(/[\p{Cf}\p{Zl}\p{Zp}\r]/u);
  }
  for (const { path, content } of sources) {
    const code = path.endsWith('.rs') ? content.replace(/^\s*\/\/.*$/gm, '') : content.replace(/\/\*[\s\S]*?\*\//g, '');
    expect(code, path).not.toContain('evil');
    expect(content, path).not.toMatch(/(?<!\\)(?:`{3}|~{3})/);
    // Tags of JSDoc; rustdoc has none.
    if (!['sys.rs', 'stub.rs', 'missing.rs'].includes(path))
      expect(content, path).not.toMatch(/(?<!\\)@(?:evil|link|param value evil)/);
  }
});

it('have at least 25 headers between them', () => {
  expect(HEADER_NAMES.length).toBeGreaterThanOrEqual(25);
});

it('give Rust that compiles without a warning', () => {
  compileAsOneCrate(HEADER_NAMES.map((name) => join(HEADER_FOLDER, `${name}.sys.rs`)));
}, 60_000);

it.each(HEADER_NAMES)('%s has the layouts and values that the C compiler of this machine gives it', (name) => {
  expect(disagreements(irOf(name), readFixtureHeader(name))).toEqual([]);
});
