import { type Clang, type CXCursor, type CXType, childrenOf, cursorKind, typeKind } from './clang.ts';
import type { RawField, RawRecord, RawValue } from './raw.ts';
import { declarationKey, describeType, recordExpression, tagName } from './types.ts';

/** Asks for the value of a C expression; the answers come together, after the walk. */
export type Ask = (expression: string) => Answer;
export type Answer = () => RawValue;

export function integerOf(value: RawValue): string | null {
  return value.kind === 'integer' ? value.value : null;
}

type Declaration = Pick<RawRecord, 'name' | 'place' | 'comment' | 'deprecated'>;

/** Reads a record's layout and members; null for one that has no name, or that is defined elsewhere. */
export function readRecord(
  clang: Clang,
  ask: Ask,
  cursor: CXCursor,
  declaration: Declaration,
  pragmas: boolean,
): (() => RawRecord) | null {
  const { api } = clang;
  const complete = api.Cursor_isNull(api.getCursorDefinition(cursor)) === 0;
  if (complete && api.isCursorDefinition(cursor) === 0) return null;
  const identity = identityOf(clang, cursor);
  if (identity === null) return null;
  const { name, expression, anonymous } = identity;
  const measured = complete && !anonymous;
  const size = measured ? ask(`sizeof(${expression})`) : null;
  const align = measured ? ask(`_Alignof(${expression})`) : null;
  const children = childrenOf(clang, cursor);
  const fields = children
    .filter((child) => cursorKind(clang, child) === 'FieldDecl' || isAnonymousMember(clang, child))
    .map((child) => readField(clang, ask, child, expression));
  const known = {
    union: cursorKind(clang, cursor) === 'UnionDecl',
    packed: children.some((child) => cursorKind(clang, child) === 'attribute(packed)'),
    aligned: [cursor, ...children.filter((child) => cursorKind(clang, child) === 'FieldDecl')].some((one) =>
      isAligned(clang, one),
    ),
  };
  return () => ({
    kind: 'record',
    ...declaration,
    ...known,
    name,
    complete,
    size: size === null ? null : integerOf(size()),
    align: align === null ? null : integerOf(align()),
    pragmas,
    anonymous,
    fields: fields.map((finish) => finish()),
  });
}

/** Some versions of libclang do not tell this attribute from others. */
export function isAligned(clang: Clang, cursor: CXCursor): boolean {
  return childrenOf(clang, cursor).some((child) =>
    ['attribute(aligned)', 'UnexposedAttr'].includes(cursorKind(clang, child)),
  );
}

/** Gives names to the records without one that are declared directly inside this one. */
export function nameNested(clang: Clang, cursor: CXCursor): void {
  const outer = identityOf(clang, cursor);
  if (outer === null) return;
  const { api, nested } = clang;
  const children = childrenOf(clang, cursor);
  let count = 0;
  for (const child of children) {
    const type = api.getCursorType(child);
    if (isAnonymousMember(clang, child)) {
      count += 1;
      const name = `${outer.name}_anonymous_${count}`;
      nested.set(declarationKey(clang, child), { name, expression: outer.expression, anonymous: true });
    } else if (cursorKind(clang, child) === 'FieldDecl') {
      const [inner, steps] = innermost(clang, type);
      const declared = api.getTypeDeclaration(inner);
      const key = declarationKey(clang, declared);
      if (!isRecord(clang, declared) || tagName(clang, inner) !== null || nested.has(key)) continue;
      const field = api.getCursorSpelling(child) ?? '';
      const expression = `__typeof__(((${outer.expression} *)0)->${field}${'[0]'.repeat(steps)})`;
      nested.set(key, { name: `${outer.name}_${field}`, expression, anonymous: false });
    }
  }
}

function identityOf(clang: Clang, cursor: CXCursor) {
  const type = clang.api.getCursorType(cursor);
  const name = tagName(clang, type);
  if (name !== null) return { name, expression: recordExpression(clang, type), anonymous: false };
  return clang.nested.get(declarationKey(clang, cursor)) ?? null;
}

function isRecord(clang: Clang, cursor: CXCursor): boolean {
  return ['StructDecl', 'UnionDecl'].includes(cursorKind(clang, cursor));
}

function isAnonymousMember(clang: Clang, cursor: CXCursor): boolean {
  return isRecord(clang, cursor) && clang.api.Cursor_isAnonymousRecordDecl(cursor) !== 0;
}

/** What arrays and pointers are made of, and how many of them there are. */
function innermost(clang: Clang, type: CXType): readonly [CXType, number] {
  let inner = type;
  for (let steps = 0; ; steps += 1) {
    const kind = typeKind(clang, inner);
    if (kind === 'Pointer') inner = clang.api.getPointeeType(inner);
    else if (kind === 'ConstantArray' || kind === 'IncompleteArray') inner = clang.api.getArrayElementType(inner);
    else if (kind === 'Elaborated') return [clang.api.Type_getNamedType(inner), steps];
    else return [inner, steps];
  }
}

function readField(clang: Clang, ask: Ask, cursor: CXCursor, record: string): () => RawField {
  const { api } = clang;
  const member = isAnonymousMember(clang, cursor);
  const name = member ? '' : (api.getCursorSpelling(cursor) ?? '');
  const bits = api.Cursor_isBitField(cursor) === 0 ? null : api.getFieldDeclBitWidth(cursor);
  const type = describeType(clang, api.getCursorType(cursor));
  const offset = bits === null && !member ? ask(`__builtin_offsetof(${record}, ${name})`) : null;
  return () => ({ name, type, bits, offset: offset === null ? null : integerOf(offset()) });
}
