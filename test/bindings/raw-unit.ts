import type { RawFunction, RawItem, RawScalar, RawType, RawUnit } from '../../pipeline/bindings/libclang/raw.ts';

/** Builders for what a parser would report, so that the pure half can be tested without one. */

export function rawUnit(items: readonly RawItem[], more: Partial<RawUnit> = {}): RawUnit {
  const widths = { short: 2, int: 4, long: 8, 'long long': 8, pointer: 8 };
  return { target: 'linux-x64', headers: ['test.h'], widths, items, diagnostics: [], ...more };
}

export function scalar(name: RawScalar, constant = false): RawType {
  return { kind: 'scalar', scalar: name, const: constant };
}

export function pointer(pointee: RawType): RawType {
  return { kind: 'pointer', pointee, const: false };
}

export function standard(name: string, type: RawScalar, constant = false): RawType {
  return { kind: 'standard', name, type: scalar(type), const: constant };
}

export function rawFunction(
  name: string,
  parameters: Readonly<Record<string, RawType>>,
  more: Partial<RawFunction> = {},
): RawFunction {
  return {
    kind: 'function',
    name,
    place: { file: 'test.h', line: 1 },
    comment: null,
    deprecated: false,
    parameters: Object.entries(parameters).map(([parameter, type]) => ({ name: parameter, type })),
    returns: scalar('void'),
    variadic: false,
    prototyped: true,
    external: true,
    inline: false,
    noReturn: false,
    ...more,
  };
}
