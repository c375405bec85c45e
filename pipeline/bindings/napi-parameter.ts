import type { Parameter } from './ir.ts';
import type { Resolve } from './napi-resolve.ts';

/** A value that a call gives beside, or in place of, C's own result. */
export interface OutValue {
  readonly cName: string;
  readonly jsName: string;
  /** Type in the emitted Rust and in TypeScript. */
  readonly rust: string;
  readonly type: string;
  /** Rust expression of type `rust`. */
  readonly value: string;
}

/** How one C parameter is passed from JavaScript. */
export interface MappedParameter {
  readonly parameter: Parameter;
  /** Conversion of the JavaScript argument; null when JavaScript passes none. */
  readonly from: {
    /** TypeScript type without null and undefined. */
    readonly type: string;
    /** Method of the runtime's `Argument`, with type arguments. */
    readonly method: string;
    /** The call needs the converted value as `mut`. */
    readonly mutable: boolean;
  } | null;
  /** Rust type and first value of a variable that C writes to; null where C only reads. */
  readonly local: { readonly type: string; readonly value: string } | null;
  /** What the function's result holds of it. */
  readonly out: OutValue | null;
  /** Rust expression handed to C. */
  readonly pass: string;
}

/** A parameter that C reads and JavaScript passes. */
export function readParameter(
  parameter: Parameter,
  pass: string,
  type: string,
  method: string,
  mutable = false,
): MappedParameter {
  return { parameter, from: { type, method, mutable }, local: null, out: null, pass };
}

export type RoleMap = (parameter: Parameter, all: readonly Parameter[], resolve: Resolve) => MappedParameter | string;
