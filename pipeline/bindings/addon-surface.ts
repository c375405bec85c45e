import { buildError } from '../plan/errors.ts';
import type { AbiInterface, AbiLock } from './abi.ts';
import {
  type ConstantValue,
  NOT_FINITE,
  type NodeConstant,
  type NodeFunction,
  namespaceOf,
  nodeConstant,
  OWN_NAMES,
} from './napi-model.ts';
import { jsFunctionName } from './napi-names.ts';

/** A function that the addon exports. */
export interface SurfaceFunction {
  readonly jsName: string;
  /** Name in C; of the addon's own function, the same as in JavaScript. */
  readonly cName: string;
  readonly namespace: NodeFunction['namespace'];
}

/** What the addon exports, without how it does it. */
export interface AddonSurface {
  readonly functions: readonly SurfaceFunction[];
  readonly constants: readonly Pick<NodeConstant, 'name' | 'jsValue'>[];
}

/**
 * Works out from the interface lock alone what the addon exports: the names and values that `nodeModel` gives for the
 * header that the lock was made from.
 * @throws BuildError A3S3001 for a constant whose value is none of its type.
 */
export function addonSurface({ interfaces }: AbiLock): AddonSurface {
  // What the addon offers is the same for every target, and the lock marks the rest in each interface.
  const [any = NOTHING] = interfaces;
  const functions = any.functions
    .filter(isOffered)
    .map((item) => ({ jsName: jsFunctionName(item.name), cName: item.name, namespace: namespaceOf(item) }));
  const constants = new Map<string, NodeConstant>();
  for (const { name, type, value, ...rest } of [...any.constants, ...any.enums.flatMap(valuesOf)]) {
    // The mark goes by the name, and the first of a name has it.
    if (!isOffered(rest) || constants.has(name)) continue;
    constants.set(name, nodeConstant(name, lockedValue(name, type, value), null));
  }
  const [loadLibrary] = OWN_NAMES;
  const own = { jsName: loadLibrary, cName: loadLibrary, namespace: null };
  return { functions: [own, ...functions], constants: [...constants.values()] };
}

const NOTHING: Pick<AbiInterface, 'functions' | 'constants' | 'enums'> = { functions: [], constants: [], enums: [] };

function isOffered({ node }: { readonly node?: false | undefined }): boolean {
  return node !== false;
}

/** Names that the addon's declarations export as values. */
export function surfaceNames({ functions, constants }: AddonSurface): readonly string[] {
  return [
    ...new Set([
      ...functions.map(({ jsName, namespace }) => namespace ?? jsName),
      ...constants.map(({ name }) => name),
    ]),
  ];
}

function valuesOf({ type, values }: AbiInterface['enums'][number]) {
  return values.map((value) => ({ ...value, type }));
}

function lockedValue(name: string, type: string, value: string): ConstantValue {
  if (type === 'string') return { kind: 'string', value };
  if (type === 'f32' || type === 'f64') {
    const known = Object.hasOwn(NOT_FINITE, value) || (/^-?\d/.test(value) && Number.isFinite(Number(value)));
    if (known) return { kind: 'float', value, bits: type === 'f32' ? 32 : 64 };
  } else if (/^-?\d{1,20}$/.test(value)) return { kind: 'integer', value };
  throw buildError('A3S3001', { message: `the interface lock gives ${name} a value that is none of its type ${type}` });
}
