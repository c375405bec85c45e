import { buildError } from '../plan/errors.ts';
import type { AbiLock } from './abi.ts';
import {
  type ConstantValue,
  constantFault,
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
export function addonSurface(lock: AbiLock): AddonSurface {
  const functions = lock.functions
    .filter(({ node }) => node !== false)
    .map((item) => ({ jsName: jsFunctionName(item.name), cName: item.name, namespace: namespaceOf(item) }));
  const constants: NodeConstant[] = [];
  // A function that came after a constant of its name is marked in the lock; so those that are not came before.
  const taken = new Set<string>([...OWN_NAMES, ...functions.map(({ jsName }) => jsName)]);
  for (const { name, type, value } of [...lock.constants, ...lock.enums.flatMap(valuesOf)]) {
    if (constantFault(name, taken) === null) constants.push(nodeConstant(name, lockedValue(name, type, value), null));
    taken.add(name);
  }
  const [loadLibrary] = OWN_NAMES;
  return { functions: [{ jsName: loadLibrary, cName: loadLibrary, namespace: null }, ...functions], constants };
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

function valuesOf({ type, values }: AbiLock['enums'][number]) {
  return values.map(({ name, value }) => ({ name, type, value }));
}

function lockedValue(name: string, type: string, value: string): ConstantValue {
  if (type === 'string') return { kind: 'string', value };
  if (type === 'f32' || type === 'f64') {
    const known = Object.hasOwn(NOT_FINITE, value) || (/^-?\d/.test(value) && Number.isFinite(Number(value)));
    if (known) return { kind: 'float', value, bits: type === 'f32' ? 32 : 64 };
  } else if (/^-?\d{1,20}$/.test(value)) return { kind: 'integer', value };
  throw buildError('A3S3001', { message: `the interface lock gives ${name} a value that is none of its type ${type}` });
}
