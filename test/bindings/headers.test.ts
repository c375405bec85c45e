import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { emitAbi } from '../../pipeline/bindings/abi.ts';
import { emitDts } from '../../pipeline/bindings/emit-dts.ts';
import { emitNapi } from '../../pipeline/bindings/emit-napi.ts';
import { emitSys } from '../../pipeline/bindings/emit-sys.ts';
import { toIr } from '../../pipeline/bindings/header.ts';
import type { HeaderIr } from '../../pipeline/bindings/ir.ts';
import { nodeModel } from '../../pipeline/bindings/napi-model.ts';
import { disagreements } from '../helpers/c-facts.ts';
import { compileAsOneCrate } from '../helpers/compile-rust.ts';
import { parseUnits } from '../helpers/parse-units.ts';

const FOLDER = new URL('../fixtures/headers/', import.meta.url).pathname;
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.h'))
  .map((name) => name.slice(0, -2));

const LOCK = readFileSync(new URL('../fixtures/napi/workspace.lock', import.meta.url), 'utf8');
const read = (name: string): string => readFileSync(join(FOLDER, `${name}.h`), 'utf8');
const irs = new Map<string, HeaderIr>();
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
  const units = await parseUnits(Object.fromEntries(NAMES.map((name) => [`${name}.h`, read(name)])));
  for (const name of NAMES) {
    const unit = units.get(`${name}.h`);
    if (unit !== undefined) irs.set(name, toIr(unit, []));
  }
}, 60_000);

describe.each(NAMES)('the feature %s', (name) => {
  it('gives exactly the committed files in three languages, lock and list of what was left out', async () => {
    const ir = irOf(name);
    const skipped = [...ir.skipped, ...nodeModel(ir).skipped].map(
      (one) => `${one.place.file}:${one.place.line} ${one.name}, ${one.output}: ${one.reason}\n`,
    );
    await expect(emitSys(ir, { docs: true }).content).toMatchFileSnapshot(`${FOLDER}${name}.sys.rs`);
    await expect(napiSource(ir)).toMatchFileSnapshot(`${FOLDER}${name}.napi.rs`);
    await expect((await emitDts(ir, { docs: true })).content).toMatchFileSnapshot(`${FOLDER}${name}.d.ts`);
    await expect(emitAbi(ir).content).toMatchFileSnapshot(`${FOLDER}${name}.abi.json`);
    await expect(skipped.join('')).toMatchFileSnapshot(`${FOLDER}${name}.skipped.txt`);
  });
});

it('have at least 25 headers between them', () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(25);
});

it('give Rust that compiles without a warning', () => {
  compileAsOneCrate(NAMES.map((name) => join(FOLDER, `${name}.sys.rs`)));
}, 60_000);

it.each(NAMES)('%s has the layouts and values that the C compiler of this machine gives it', (name) => {
  expect(disagreements(irOf(name), read(name))).toEqual([]);
});
