import { describe, expect, it } from 'vitest';
import { toIr } from '../../pipeline/bindings/header.ts';
import type { HeaderIr, ParameterRole } from '../../pipeline/bindings/ir.ts';
import type { RawItem, RawType } from '../../pipeline/bindings/libclang/raw.ts';
import { nodeModel } from '../../pipeline/bindings/napi-model.ts';
import type { ParameterOverride } from '../../pipeline/bindings/overrides.ts';
import { BuildError } from '../../pipeline/plan/errors.ts';
import { pointer, rawFunction, rawUnit, scalar, standard } from './raw-unit.ts';

const INT = scalar('int');
const U8 = standard('uint8_t', 'unsigned char');
const U32 = standard('uint32_t', 'unsigned int');
const SIZE = standard('size_t', 'unsigned long');
const BYTES = pointer(standard('uint8_t', 'unsigned char', true));
const U16S = pointer(standard('uint16_t', 'unsigned short', true));

interface Declared {
  readonly parameters: Readonly<Record<string, RawType>>;
  /** The list of arguments, one a line. */
  readonly docs: string;
  readonly details?: string;
  readonly overrides?: Readonly<Record<string, ParameterOverride>>;
  readonly items?: readonly RawItem[];
}

function irOf({ parameters, docs, details = '', overrides, items = [] }: Declared): HeaderIr {
  const comment = `/**\n * Does.\n *\n * ${details}\n *\n * Arguments:\n${docs.replace(/^/gm, ' *  ')}\n */`;
  const table = overrides === undefined ? [] : [{ function: 'call', parameters: overrides, reason: 'read' }];
  return toIr(rawUnit([...items, rawFunction('call', parameters, { comment })]), table);
}

function rolesOf(declared: Declared): readonly ParameterRole[] {
  const item = irOf(declared).items.find(({ kind }) => kind === 'function');
  return item?.kind === 'function' ? item.parameters.map(({ role }) => role) : expect.unreachable('no function');
}

function questionOf(declared: Declared): string {
  try {
    rolesOf(declared);
  } catch (error) {
    if (error instanceof BuildError && error.failure.code === 'A3S3003') return error.failure.message;
  }
  return expect.unreachable('accepted without a question');
}

describe('a pointer through which a function writes one value', () => {
  it.each([
    '"out" - receives the number.',
    '"out" - output: the number.',
    '"out" - [out] the number.',
    '"out" - out parameter, the number.',
    '"out" - on success the number is stored here.',
    '"out" - pointer to where the number is written to.',
    '"out" - will hold the number.',
  ])('is proven by the words %j', (docs) => {
    for (const type of [U32, INT, scalar('bool'), scalar('double'), SIZE, scalar('unsigned long long')]) {
      expect(rolesOf({ parameters: { out: pointer(type) }, docs })).toEqual([{ kind: 'out' }]);
    }
  });

  it.each(['On success the number is stored in "out".', 'Writes the number to `out`.', 'Places it in *out.'])(
    'is proven by a sentence elsewhere: %j',
    (details) => {
      const parameters = { out: pointer(U32) };
      expect(rolesOf({ parameters, docs: '"out" - the number.', details })).toEqual([{ kind: 'out' }]);
    },
  );

  it.each([
    ['nothing about writing', '"out" - the number.', U32],
    ['reading too', '"out" - in/out: receives the number.', U32],
    ['a value on entry', '"out" - on input the limit; receives the number.', U32],
    ['an array', '"out" - array that receives the numbers.', U32],
    ['many values', '"out" - receives up to 4 numbers.', U32],
    ['bytes, which may be many', '"out" - receives the address.', U8],
    ['text', '"out" - receives the name.', scalar('char')],
    ['something unknown', '"out" - receives the thing.', scalar('void')],
  ])('is asked for where the comment tells of %s', (_what, docs, type) => {
    expect(questionOf({ parameters: { out: pointer(type) }, docs })).toContain('call: what is behind "out"');
  });

  it('is asked for where the next parameter may say how much room there is', () => {
    const docs = '"out" - receives the numbers.\n"n" - how many: their number.';
    expect(questionOf({ parameters: { out: pointer(U32), n: SIZE }, docs })).toContain('"out"');
    expect(questionOf({ parameters: { out: pointer(U32), n: INT }, docs })).toContain('"out"');
  });

  it('is never a pointer to const or a declared array', () => {
    const docs = '"out" - receives the number.';
    const constant = pointer(standard('uint32_t', 'unsigned int', true));
    expect(questionOf({ parameters: { out: constant }, docs })).toContain('"out"');
    const array: RawType = { kind: 'array', element: U32, length: '2' };
    expect(questionOf({ parameters: { out: array }, docs })).toContain('"out"');
  });

  it('may be of a type that the header gives a name', () => {
    const place = { file: 'test.h', line: 1 };
    const items: RawItem[] = [
      { kind: 'typedef', name: 'id_t', place, comment: null, deprecated: false, type: U32, align: null },
    ];
    const id: RawType = { kind: 'named', name: 'id_t', const: false };
    expect(rolesOf({ parameters: { out: pointer(id) }, docs: '"out" - receives the ID.', items })).toEqual([
      { kind: 'out' },
    ]);
  });

  it('is taken from an override before the comment', () => {
    const overrides = { out: { role: { kind: 'out' } } } as const;
    expect(rolesOf({ parameters: { out: pointer(U8) }, docs: '"out" - the byte.', overrides })).toEqual([
      { kind: 'out' },
    ]);
  });
});

describe('a pointer that a function sets to bytes of its own', () => {
  const parameters = { data: pointer(BYTES), size: pointer(SIZE) };
  const docs = '"data" - receives a pointer to the bytes.\n"size" - receives the length in bytes.';

  it('is proven where the bytes are counted and stay for good', () => {
    const details = 'The pointer is valid for the lifetime of the process.';
    expect(rolesOf({ parameters, docs, details })).toEqual([
      { kind: 'out-bytes', lengthIn: 'size' },
      { kind: 'out-length', of: 'data' },
    ]);
  });

  it('is asked for where nothing says who frees them', () => {
    expect(questionOf({ parameters, docs })).toContain('"data"');
  });
});

describe('an array of numbers', () => {
  const counted = { sizes: U16S, count: U32 };

  it.each([
    ['after it', counted],
    ['before it', { count: U32, sizes: U16S }],
  ])('is counted by a parameter %s', (_where, parameters) => {
    const docs = '"sizes" - array of sizes.\n"count" - number of sizes.';
    expect(rolesOf({ parameters, docs })).toContainEqual({ kind: 'buffer', lengthIn: 'count' });
    expect(rolesOf({ parameters, docs })).toContainEqual({ kind: 'buffer-length', of: 'sizes' });
  });

  it.each([
    ['bytes', '"sizes" - array of sizes.\n"count" - number of bytes.'],
    ['something else with a meaning of its own', '"sizes" - array of sizes.\n"count" - number of queues. 0 = detect.'],
    ['nothing that is said', '"sizes" - array of sizes.\n"count" - more.'],
  ])('is asked for where the count is of %s', (_what, docs) => {
    expect(questionOf({ parameters: counted, docs })).toContain('"sizes"');
  });

  it('takes an override for what the comment leaves open, and null where that is documented', () => {
    const docs = '"sizes" - array of sizes. NULL = defaults.\n"count" - number of queues. 0 = detect.';
    const overrides = { sizes: { role: { kind: 'buffer', lengthIn: 'count' } } } as const;
    const { functions } = nodeModel(irOf({ parameters: counted, docs, overrides }));
    expect(functions[0]?.parameters).toEqual([
      { cName: 'sizes', jsName: 'sizes', type: 'Uint16Array', nullable: true, optional: true },
    ]);
  });
});

describe('memory that C goes on using after the call', () => {
  const docs = '"data" - the content.\n"size" - length of the content in bytes.';
  const parameters = { data: BYTES, size: SIZE };

  it.each([
    'The memory is NOT copied.',
    'The caller must keep the memory valid for as long as the machine runs.',
    'The "data" must outlive the machine.',
    'The data pointer must remain valid.',
  ])('is not offered to Node: %j', (details) => {
    const ir = irOf({ parameters, docs, details });
    expect(nodeModel(ir).functions).toEqual([]);
    expect(nodeModel(ir).skipped[0]?.reason).toContain('after the call');
  });

  it('is offered as a copy where nothing says so', () => {
    const details = 'The content must be valid text.';
    expect(nodeModel(irOf({ parameters, docs, details })).functions).toHaveLength(1);
  });
});

it('a result of 1 or 0, or a negative error, is a boolean', () => {
  const comment = '/**\n * Asks.\n *\n * Returns:\n *  1 if it is there, 0 if not, or a negative error number.\n */';
  const { items } = toIr(rawUnit([rawFunction('call', {}, { comment, returns: INT })]), []);
  expect(items[0]).toMatchObject({ meaning: 'boolean' });
});
