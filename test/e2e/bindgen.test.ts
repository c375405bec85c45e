import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { emitSys } from '../../pipeline/bindings/emit-sys.ts';
import { toIr } from '../../pipeline/bindings/header.ts';
import type { HeaderFile } from '../../pipeline/bindings/libclang/request.ts';
import { LIBKRUN_OVERRIDES } from '../../pipeline/bindings/overrides.ts';
import { TARGETS, type Target } from '../../pipeline/plan/targets.ts';
import { runBindgen } from '../helpers/bindgen.ts';
import { compareBindings } from '../helpers/bindgen-comparison.ts';
import { parseGroups } from '../helpers/parse-units.ts';
import { REPOSITORY } from '../helpers/session.ts';
import { storedHeaders } from '../helpers/stored-headers.ts';
import { HELPERS_OF_BINDGEN, REVIEWED } from './bindgen-reviewed.ts';

const FEATURES = join(REPOSITORY, 'test/fixtures/headers');
const NAMES = readdirSync(FEATURES).filter((name) => name.endsWith('.h'));
const LIBKRUN = storedHeaders(inject('fullBuild').checkoutStore);
const OWN = ['libkrun.h', 'libkrun_display.h', 'libkrun_input.h'];
/** Not one that we build for: its header is compared all the same. */
const WINDOWS: Target = { ...TARGETS['linux-x64'], clangTriple: 'x86_64-pc-windows-msvc' };

const read = (folder: string, name: string): HeaderFile => ({
  name,
  content: readFileSync(join(folder, name), 'utf8'),
});

const libkrun = OWN.map((name) => read(LIBKRUN, name));
let ours = '';
let theirs = '';
const features = new Map<string, string>();

beforeAll(async () => {
  const headers = NAMES.map((name) => [read(FEATURES, name)]);
  const [own, ...units] = await parseGroups([libkrun, ...headers], TARGETS['linux-x64']);
  if (own === undefined) throw new Error('nothing was parsed');
  ours = emitSys(toIr(own, LIBKRUN_OVERRIDES), { docs: false }).content;
  theirs = runBindgen(TARGETS['linux-x64'], libkrun);
  for (const [index, unit] of units.entries()) {
    features.set(NAMES[index] ?? '', emitSys(toIr(unit, []), { docs: false }).content);
  }
});

describe('rust-bindgen agrees', () => {
  it('on every function, constant, record and type of libkrun.h, libkrun_display.h and libkrun_input.h', () => {
    const { names, errors, compared } = compareBindings(ours, theirs);
    expect({ names, errors }).toEqual({ names: [], errors: [] });
    expect(compared).toEqual({ functions: 61, constants: 67, records: 11, aliases: 16 });
  });

  it('on every function and constant of libkrun_windows.h, read for its own target', async () => {
    const headers = [read(LIBKRUN, 'libkrun_windows.h')];
    const [unit] = await parseGroups([headers], WINDOWS);
    if (unit === undefined) throw new Error('nothing was parsed');
    // Nobody has reviewed what its pointers are for; their types do not depend on it.
    const windows = emitSys(
      toIr(unit, [], () => undefined),
      { docs: false },
    ).content;
    const { names, errors, compared } = compareBindings(windows, runBindgen(WINDOWS, headers));
    expect({ names, errors }).toEqual({ names: [], errors: [] });
    expect(compared).toMatchObject({ functions: 48, records: 0 });
    expect(compared.constants).toBeGreaterThan(10);
  });

  it.each(NAMES)('on %s, but for what was reviewed', (name) => {
    const { names, errors } = compareBindings(
      features.get(name) ?? '',
      runBindgen(TARGETS['linux-x64'], [read(FEATURES, name)]),
    );
    const found = [...names, ...errors].filter((one) => !HELPERS_OF_BINDGEN.test(one));
    expect(found.toSorted()).toEqual(Object.keys(REVIEWED[name] ?? {}).toSorted());
  });

  it('has no reviewed difference for a header that is gone', () => {
    expect(NAMES).toEqual(expect.arrayContaining(Object.keys(REVIEWED)));
  });
});

/** A mistake in our file, and what must be said of it. */
const MISTAKES: readonly (readonly [what: string, correct: string, wrong: string, told: RegExp])[] = [
  ['type of a parameter', 'krun_free_ctx(ctx_id: u32)', 'krun_free_ctx(ctx_id: i32)', /krun_free_ctx.*signature/],
  ['number of parameters', 'krun_free_ctx(ctx_id: u32)', 'krun_free_ctx()', /krun_free_ctx.*signature/],
  ['type that a callback takes', 'u32, *const krun_rect)', 'u32, *mut krun_rect)', /krun_display_present_frame_fn/],
  ['constant', 'KRUN_LOG_LEVEL_TRACE: c_int = 5', 'KRUN_LOG_LEVEL_TRACE: c_int = 6', /value of KRUN_LOG_LEVEL_TRACE/],
  [
    'function that is missing',
    '    pub fn krun_free_ctx(ctx_id: u32) -> i32;\n',
    '',
    /function krun_free_ctx: only bindgen/,
  ],
  [
    'constant that is missing',
    'pub const KRUN_LOG_LEVEL_TRACE: c_int = 5;\n',
    '',
    /constant KRUN_LOG_LEVEL_TRACE: only/,
  ],
  [
    'function too many',
    'pub fn krun_free_ctx(',
    'pub fn krun_more();\n    pub fn krun_free_ctx(',
    /krun_more: only ours/,
  ],
  ['type of a member, of the same size', 'pub width: u32,', 'pub width: i32,', /type of krun_rect.width/],
  ['order of members', '    pub x: u32,\n    pub y: u32,\n', '    pub y: u32,\n    pub x: u32,\n', /krun_rect/],
];

describe('the comparison finds', () => {
  it.each(MISTAKES)('a wrong %s', (_what, correct, wrong, told) => {
    expect(ours).toContain(correct);
    const { names, errors } = compareBindings(ours.replace(correct, wrong), theirs);
    expect([...names, ...errors].join('\n')).toMatch(told);
  });

  it('a string that differs in one letter', () => {
    const [name, text] = ['string-macros.h', features.get('string-macros.h') ?? ''];
    const changed = text.replace('c"krun"', 'c"kran"');
    expect(changed).not.toBe(text);
    const { errors } = compareBindings(changed, runBindgen(TARGETS['linux-x64'], [read(FEATURES, name)]));
    expect(errors.join('\n')).toContain('value of STRING_PLAIN');
  });
});
