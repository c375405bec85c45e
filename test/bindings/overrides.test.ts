import { readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { readAbi } from '../../pipeline/bindings/abi-schema.ts';
import { toIr } from '../../pipeline/bindings/header.ts';
import { type GivenRole, LIBKRUN_OVERRIDES, type Override, overridesFor } from '../../pipeline/bindings/overrides.ts';
import type { ConfigOverride } from '../../pipeline/plan/config-file.ts';
import { BuildError } from '../../pipeline/plan/errors.ts';
import { pointer, rawFunction, rawUnit, scalar, standard } from './raw-unit.ts';

const LOCK = readFileSync(new URL('../../generated/abi.json', import.meta.url), 'utf8');

describe('the override table', () => {
  it('names each function once and gives a reason for each entry', () => {
    const names = LIBKRUN_OVERRIDES.map(({ function: name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(LIBKRUN_OVERRIDES.filter(({ reason }) => reason.trim().length < 20)).toEqual([]);
  });

  it('says something in each entry', () => {
    const empty = LIBKRUN_OVERRIDES.filter(
      ({ returns, parameters }) => returns === undefined && parameters === undefined,
    );
    expect(empty).toEqual([]);
  });

  it('names only functions and parameters of the pinned libkrun.h', () => {
    const functions = readAbi(LOCK).interfaces.flatMap((one) => one.functions);
    const declared = new Map(functions.map(({ name, parameters }) => [name, parameters.map((one) => one.name)]));
    const stale = LIBKRUN_OVERRIDES.flatMap(({ function: name, parameters = {} }) => {
      const known = declared.get(name);
      return known === undefined ? [name] : Object.keys(parameters).filter((parameter) => !known.includes(parameter));
    });
    expect(stale).toEqual([]);
  });

  it('does not let null reach the port map, which libkrun reads without a check', () => {
    const entry = LIBKRUN_OVERRIDES.find(({ function: name }) => name === 'krun_set_port_map');
    expect(entry?.parameters?.['port_map']?.nullable).toBe(false);
  });
});

it('has the same form in a configuration', () => {
  expectTypeOf<ConfigOverride>().toExtend<Override>();
  type InConfig = NonNullable<ConfigOverride['parameters']>[string];
  expectTypeOf<NonNullable<InConfig['role']>['kind']>().toEqualTypeOf<GivenRole['kind']>();
  expectTypeOf<keyof ConfigOverride>().toEqualTypeOf<Exclude<keyof Override, 'place'>>();
});

const MAC = pointer(standard('uint8_t', 'unsigned char'));

/** The failure of a header that declares these, with the user's own entries. */
function failureOf(functions: Parameters<typeof rawUnit>[0], own: readonly Override[] = []) {
  const raw = rawUnit(functions);
  try {
    toIr(raw, overridesFor([raw], own));
  } catch (error) {
    if (error instanceof BuildError) return error.failure;
  }
  return expect.unreachable('accepted');
}

/** The entries that a failure proposes, as somebody would paste them. */
function proposed({ fix }: { readonly fix: string }): readonly Override[] {
  const [text] = /"bindings": \{ "overrides": \[[\s\S]*?\n\] \}/.exec(fix) ?? [];
  return JSON.parse(`{${text}}`).bindings.overrides;
}

describe('an older or newer libkrun.h', () => {
  it('needs no entry for functions that it does not have', () => {
    const raw = rawUnit([rawFunction('krun_other', {})]);
    expect(toIr(raw, overridesFor([raw])).items).toHaveLength(1);
  });

  it('is asked about a function whose parameters changed, and an entry of the user answers', () => {
    const functions = [rawFunction('krun_set_net_mac', { address: MAC })];
    const failure = failureOf(functions);
    expect(failure).toMatchObject({ code: 'A3S3003', where: { file: 'test.h', line: 1 } });
    expect(failure.message).toContain('krun_set_net_mac: the built-in table names it with a parameter "c_mac"');
    expect(proposed(failure)).toEqual([
      { function: 'krun_set_net_mac', parameters: { address: { role: { kind: 'value' } } }, reason: '' },
    ]);
    const raw = rawUnit(functions);
    const role = { kind: 'fixed-bytes', length: 6 } as const;
    const own = [{ function: 'krun_set_net_mac', parameters: { address: { role } }, reason: 'read' }];
    expect(toIr(raw, overridesFor([raw], own)).items[0]).toMatchObject({ parameters: [{ role }] });
  });

  it('keeps what the built-in table knows in the entry that it proposes', () => {
    const functions = [rawFunction('krun_set_rlimits', { rlimits: pointer(pointer(scalar('char', true))), more: MAC })];
    expect(proposed(failureOf(functions))).toEqual([
      {
        function: 'krun_set_rlimits',
        parameters: { rlimits: { role: { kind: 'string-array' } }, more: { role: { kind: 'value' } } },
        reason: '',
      },
    ]);
  });
});

describe("an entry of the user's", () => {
  const place = { file: '/project/a3s-build.config.json', line: 4, column: 7 };

  it.each<[string, Partial<Override>]>([
    ['no header declares it', { function: 'gone' }],
    ['a parameter "gone"', { parameters: { gone: { nullable: true } } }],
    ['calls its parameter "mac" an array of strings', { parameters: { mac: { role: { kind: 'string-array' } } } }],
    ['calls its parameter "size" bytes', { parameters: { size: { role: { kind: 'fixed-bytes', length: 6 } } } }],
    ['counted by "length"', { parameters: { mac: { role: { kind: 'buffer', lengthIn: 'length' } } } }],
    ['calls its parameter "size" a record', { parameters: { size: { role: { kind: 'record', lengthIn: 'size' } } } }],
    ['calls its parameter "out" a string', { parameters: { out: { role: { kind: 'string' } } } }],
  ])('that does not fit is refused where it stands: %s', (text, entry) => {
    const parameters = { mac: MAC, size: standard('size_t', 'unsigned long'), out: pointer(scalar('int')) };
    const all = { mac: { role: { kind: 'value' } }, out: { role: { kind: 'value' } } } as const;
    const own = { function: 'call', reason: 'read', place, ...entry, parameters: { ...all, ...entry.parameters } };
    const failure = failureOf([rawFunction('call', parameters)], [own]);
    expect(failure).toMatchObject({ code: 'A3S3003', where: place });
    expect(failure.message).toContain(text);
    expect(failure.fix).toContain('Correct or remove');
  });

  it('takes the place of the built-in one of the same function', () => {
    const raw = rawUnit([rawFunction('krun_add_vsock_port', {}, { returns: scalar('int') })]);
    const own = [{ function: 'krun_add_vsock_port', returns: 'value', reason: 'another version' }] as const;
    expect(toIr(raw, overridesFor([raw])).items[0]).toMatchObject({ meaning: 'status' });
    expect(toIr(raw, overridesFor([raw], own)).items[0]).toMatchObject({ meaning: 'value' });
  });
});

it('proposes no more entries than one can read', () => {
  const functions = Array.from({ length: 30 }, (_, index) =>
    rawFunction(`call_${index}`, {}, { returns: scalar('int') }),
  );
  const failure = failureOf(functions);
  expect(failure.message).toContain('and 10 more');
  expect(proposed(failure)).toHaveLength(20);
  expect(proposed(failure)[0]).toEqual({ function: 'call_0', returns: 'plain', reason: '' });
});
