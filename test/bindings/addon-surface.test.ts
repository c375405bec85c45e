import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type AbiInterface, type AbiLock, toLock } from '../../pipeline/bindings/abi.ts';
import { readAbi } from '../../pipeline/bindings/abi-schema.ts';
import { addonSurface, surfaceNames } from '../../pipeline/bindings/addon-surface.ts';
import { emitNodeStub } from '../../pipeline/bindings/emit-node-stub.ts';
import type { ConstantItem, EnumItem, FunctionItem, HeaderIr, Item } from '../../pipeline/bindings/ir.ts';
import { nodeModel } from '../../pipeline/bindings/napi-model.ts';
import { exportedNames } from '../../pipeline/steps/package/names.ts';
import { REPOSITORY } from '../helpers/session.ts';

const read = (path: string): string => readFileSync(join(REPOSITORY, path), 'utf8');
const committed = readAbi(read('generated/abi.json'));
const [only] = committed.interfaces;
if (only === undefined) throw new Error('the lock has no interface');
const withItems = (items: Partial<AbiInterface>): AbiLock => ({ ...committed, interfaces: [{ ...only, ...items }] });
const sample: HeaderIr = JSON.parse(read('test/fixtures/napi/sample.ir.json'));

const place = { file: 'x.h', line: 1 };
const INT = { kind: 'integer', signed: true, bits: 32, spelling: 'int' } as const;

const constant = (name: string, value: ConstantItem['value']): ConstantItem => ({
  kind: 'constant',
  name,
  place,
  value,
  docs: null,
});
const integer = (name: string, value: string): ConstantItem => constant(name, { kind: 'integer', value, type: INT });
const fn = (name: string): FunctionItem => ({
  kind: 'function',
  name,
  place,
  parameters: [],
  returns: INT,
  meaning: 'status',
  variadic: false,
  prototyped: true,
  docs: null,
});
const colors: EnumItem = {
  kind: 'enum',
  name: 'color',
  place,
  type: INT,
  values: [
    { name: 'RED', value: '1' },
    { name: 'delete', value: '2' },
    { name: 'TWICE', value: '3' },
  ],
  docs: null,
};
const header = (...items: Item[]): HeaderIr => ({ target: 'linux-x64', headers: ['x.h'], items, skipped: [] });

/** Functions and constants as the emitters of the real addon see them, in the surface's own form. */
function ofModel(ir: HeaderIr) {
  const { functions, constants } = nodeModel(ir);
  return {
    functions: functions.map(({ jsName, item, namespace }) => `${namespace ?? ''}.${jsName} ${item.name}`),
    constants: constants.map(({ name, jsValue }) => `${name} ${jsValue}`).toSorted(),
  };
}

function ofLock(lock: AbiLock) {
  const [own, ...functions] = addonSurface(lock).functions;
  expect(own).toEqual({ jsName: 'loadLibrary', cName: 'loadLibrary', namespace: null });
  return {
    functions: functions.map(({ jsName, cName, namespace }) => `${namespace ?? ''}.${jsName} ${cName}`),
    constants: addonSurface(lock)
      .constants.map(({ name, jsValue }) => `${name} ${jsValue}`)
      .toSorted(),
  };
}

describe('what the addon exports, told from the lock', () => {
  it.each<[string, HeaderIr]>([
    ['a header with everything that has names of its own', sample],
    ['a constant with the name of a function before it', header(fn('krun_go'), integer('krunGo', '1'))],
    ['a function with the name of a constant before it', header(integer('krunGo', '1'), fn('krun_go'))],
    ['two functions of one name in JavaScript', header(fn('krun_go'), fn('krun_Go'))],
    [
      'constants with names of the addon itself',
      header(integer('raw', '1'), integer('loadLibrary', '2'), integer('own', '3')),
    ],
    ['an enum', header(integer('TWICE', '0'), colors)],
    [
      'values that a number cannot hold',
      header(
        integer('NEGATIVE', '-9223372036854775808'),
        integer('WIDE', '18446744073709551615'),
        integer('EDGE', '9007199254740991'),
      ),
    ],
    [
      'texts and floats',
      header(
        constant('TEXT', { kind: 'string', value: 'a"\\\u2028\n`${1}' }),
        constant('SINGLE', { kind: 'float', value: '0.1', bits: 32 }),
        ...['inf', '-inf', 'nan', '1e-7', '2.5'].map((value, index) =>
          constant(`F${index}`, { kind: 'float', value, bits: 64 }),
        ),
      ),
    ],
  ])('is what the emitters make of %s', (_what, ir) => {
    const { functions, constants } = ofModel(ir);
    expect(functions.length + constants.length).toBeGreaterThan(0);
    expect(ofLock(toLock([ir]))).toEqual({ functions, constants });
  });

  it('is what the committed declarations export', () => {
    const names = surfaceNames(addonSurface(committed));
    expect(names.length).toBeGreaterThan(100);
    expect(names.toSorted()).toEqual(exportedNames(read('generated/libkrun.d.ts')).toSorted());
  });

  it.each([
    ['u32 unsigned int', '1;process.exit()'],
    ['u32 unsigned int', '0x10'],
    ['u32 unsigned int', ''],
    ['f64', 'process.exit()'],
    ['f64', 'Infinity'],
    ['f32', 'constructor'],
    ['f32', ''],
  ])('refuses %s %j', (type, value) => {
    const lock = withItems({ constants: [{ name: 'X', header: 'x.h', type, value, docs: null }] });
    expect(() => addonSurface(lock)).toThrow(expect.objectContaining({ code: 'A3S3001' }));
  });
});

describe('the emitted stub', () => {
  const evaluate = (lock: AbiLock): { functions: string[][]; raw: string[][]; constants: unknown[][] } => {
    const module = { exports: {} };
    runInNewContext(emitNodeStub(addonSurface(lock)).content, { module });
    return JSON.parse(
      JSON.stringify(module.exports, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value)),
    );
  };

  it('holds names and values as data', () => {
    const { functions, raw, constants } = evaluate(committed);
    expect(functions).toContainEqual(['krunCreateCtx', 'krun_create_ctx']);
    expect(raw).toEqual([['krunStartEnter', 'krun_start_enter']]);
    expect(constants).toContainEqual(['KRUN_LOG_TARGET_DEFAULT', -1]);
    expect(constants).toHaveLength(only.constants.length + only.enums.flatMap(({ values }) => values).length);
  });

  it('lets no name or value of a lock become code', () => {
    const [name, value] = ["x']]};throw 1;//\n", '"];throw 1;//\u2028\n${1}`'];
    const [sampleFunction] = only.functions;
    if (sampleFunction === undefined) throw new Error('the lock has no function');
    const hostile = withItems({
      enums: [],
      functions: [{ ...sampleFunction, name }],
      constants: [
        { name: `K${name}`, header: 'x.h', type: 'string', value, docs: null },
        { name: '__proto__', header: 'x.h', type: 'i32 int', value: '1', docs: null },
      ],
    });
    const { functions, constants } = evaluate(hostile);
    expect(functions[1]?.[1]).toBe(name);
    expect(constants).toEqual([
      [`K${name}`, value],
      ['__proto__', 1],
    ]);
  });
});
