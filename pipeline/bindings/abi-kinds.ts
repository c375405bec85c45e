/** How much a release must move: the words of semver, and `none` where nothing differs. */
export type Bump = 'none' | 'patch' | 'minor' | 'major';

/** Sign of a change in a list. */
type Sign = 'added' | 'removed' | 'changed';

interface KindEntry {
  readonly sign: Sign;
  /** For the crate of raw bindings. */
  readonly rust: Bump;
  /** For the npm package, where it offers the item; what it does not offer never needs more than a patch. */
  readonly npm: Bump;
}

const entry = (sign: Sign, rust: Bump, npm: Bump): KindEntry => ({ sign, rust, npm });

/**
 * Every kind of change, and the release that it deserves. Rust code spells types, names fields and checks constness;
 * JavaScript sees values, ranges, and what a returned number means.
 */
export const CHANGE_KINDS = {
  'function-added': entry('added', 'minor', 'minor'),
  'function-removed': entry('removed', 'major', 'major'),
  /** Of a function that stays declared: linking it, and calling it from Node, begins or ceases to work. */
  'export-added': entry('changed', 'minor', 'minor'),
  'export-removed': entry('changed', 'major', 'major'),
  'parameter-added': entry('changed', 'major', 'major'),
  'parameter-removed': entry('changed', 'major', 'major'),
  /** The same name stands elsewhere: callers that still compile pass the wrong thing. */
  'parameter-moved': entry('changed', 'major', 'major'),
  'parameter-renamed': entry('changed', 'patch', 'patch'),
  'parameter-wider': entry('changed', 'major', 'minor'),
  'parameter-narrower': entry('changed', 'major', 'major'),
  'parameter-type': entry('changed', 'major', 'major'),
  /** What a pointer is for; Rust passes the same pointer. */
  'parameter-use': entry('changed', 'patch', 'major'),
  'null-allowed': entry('changed', 'patch', 'minor'),
  'null-refused': entry('changed', 'patch', 'major'),
  'type-spelling': entry('changed', 'patch', 'patch'),
  'same-width': entry('changed', 'major', 'patch'),
  'const-dropped': entry('changed', 'major', 'patch'),
  'const-added': entry('changed', 'minor', 'patch'),
  'return-type': entry('changed', 'major', 'major'),
  'return-class': entry('changed', 'patch', 'major'),
  'never-returns': entry('changed', 'major', 'major'),
  'argument-list': entry('changed', 'major', 'major'),
  prototype: entry('changed', 'patch', 'patch'),
  'node-offered': entry('changed', 'patch', 'minor'),
  'node-withdrawn': entry('changed', 'patch', 'major'),
  'constant-added': entry('added', 'minor', 'minor'),
  'constant-removed': entry('removed', 'major', 'major'),
  'constant-value': entry('changed', 'major', 'major'),
  'constant-type': entry('changed', 'major', 'patch'),
  'enum-added': entry('added', 'minor', 'minor'),
  'enum-removed': entry('removed', 'major', 'major'),
  'enum-type': entry('changed', 'major', 'patch'),
  'enum-value-added': entry('changed', 'minor', 'minor'),
  'enum-value-removed': entry('changed', 'major', 'major'),
  'enum-value-changed': entry('changed', 'major', 'major'),
  'record-added': entry('added', 'minor', 'minor'),
  'record-removed': entry('removed', 'major', 'major'),
  'record-layout': entry('changed', 'major', 'major'),
  'field-added': entry('changed', 'major', 'major'),
  'field-removed': entry('changed', 'major', 'major'),
  'field-moved': entry('changed', 'major', 'major'),
  'field-type': entry('changed', 'major', 'major'),
  /** Another width or place of a bit-field, or a plain field in its stead. */
  'field-bits': entry('changed', 'major', 'major'),
  'typedef-added': entry('added', 'minor', 'minor'),
  'typedef-removed': entry('removed', 'major', 'major'),
  'typedef-type': entry('changed', 'major', 'major'),
  deprecated: entry('changed', 'minor', 'minor'),
  'no-longer-deprecated': entry('changed', 'patch', 'patch'),
  docs: entry('changed', 'patch', 'patch'),
} as const satisfies Record<string, KindEntry>;

export type ChangeKind = keyof typeof CHANGE_KINDS;
