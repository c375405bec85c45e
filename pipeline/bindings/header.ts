import { buildError } from '../plan/errors.ts';
import { integerType, rawResolver, toCType, toParameterType } from './c-types.ts';
import { matchDocs, parseDocs } from './docs.ts';
import { floatText } from './float-text.ts';
import type { ConstantItem, CType, Docs, EnumItem, FunctionItem, HeaderIr, Item, Skipped } from './ir.ts';
import { withKnownTypes, withSoundCalls } from './known-types.ts';
import type { RawEnum, RawFunction, RawItem, RawMacro, RawUnit } from './libclang/raw.ts';
import type { Resolve } from './napi-resolve.ts';
import { misfits, staleEntries, unnamed } from './override-checks.ts';
import type { Override } from './overrides.ts';
import { type Question, refuseQuestions } from './questions.ts';
import { rustGaps, withFields } from './record-items.ts';
import { type Asked, parameterRoles, returnMeaning } from './roles.ts';

interface Context {
  readonly raw: RawUnit;
  /** Follows typedefs and enums. */
  readonly resolve: Resolve;
  readonly overrides: ReadonlyMap<string, Override>;
  readonly questions: Question[];
  readonly skipped: Skipped[];
}

/**
 * Turns what a parser reported into the IR: names and order as declared, standard types by width, the meaning of
 * parameters and returns from comments and `overrides`.
 * @throws BuildError A3S3002 when the parser reported errors, or the headers declare no function.
 * @param tell For comparing headers that nobody has reviewed: receives each question and stale override, and the
 *   plainest answer (a status, a plain value) is taken instead of stopping.
 * @throws BuildError A3S3003 listing every function whose meaning nothing proves, with an entry for the configuration
 *   that would answer, and every override that does not fit the headers.
 */
export function toIr(raw: RawUnit, overrides: readonly Override[], tell?: (question: string) => void): HeaderIr {
  refuseErrors(raw);
  const context: Context = {
    raw,
    resolve: rawResolver(raw),
    overrides: new Map(overrides.map((override) => [override.function, override])),
    questions: [...staleEntries(raw, overrides)],
    skipped: [],
  };
  const { skipped } = context;
  const converted = distinct(raw.items, context).flatMap((item) => convert(item, context));
  const items = withSoundCalls(withFields(converted, raw, skipped), raw.widths.pointer, skipped);
  if (!items.some(({ kind }) => kind === 'function')) {
    throw buildError('A3S3002', {
      message: `${raw.headers.join(', ')} declares no function`,
      cause: 'A header without functions has nothing to bind.',
      where: { file: raw.headers[0] ?? '' },
    });
  }
  if (tell === undefined) refuseQuestions(context.questions, overrides);
  else for (const { text } of context.questions) tell(text);
  const kept = withKnownTypes(items, skipped);
  skipped.push(...rustGaps(kept, raw.widths.pointer));
  return { target: raw.target, headers: raw.headers, items: kept, skipped };
}

function refuseErrors(raw: RawUnit): void {
  const [first, ...more] = raw.diagnostics;
  if (first === undefined) return;
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
  throw buildError('A3S3002', {
    message: `${first.text}${rest}`,
    ...(first.place === null ? {} : { where: first.place }),
  });
}

/** C allows to declare a thing more than once; a redefined macro counts as it stands at the end. */
function distinct(items: readonly RawItem[], { skipped }: Context): readonly RawItem[] {
  const result = new Map<string, RawItem>();
  for (const item of items) {
    const space = item.kind === 'macro' || item.kind === 'function-macro' ? 'macro' : 'declaration';
    const key = item.name === '' ? `${item.place.file}:${item.place.line}` : `${space} ${item.name}`;
    const known = result.get(key);
    if (known === undefined || space === 'macro') result.set(key, item);
    else if (known.kind === item.kind) result.set(key, richer(known, item));
    else if (isSameName(known, item)) result.set(key, known.kind === 'typedef' ? item : known);
    else {
      skipped.push({ name: item.name, place: item.place, output: 'ir', reason: `${known.kind} of the same name` });
    }
  }
  return [...result.values()];
}

/** `typedef struct x x;` says nothing that `struct x` does not. */
function isSameName(known: RawItem, item: RawItem): boolean {
  const typedef = [known, item].find(({ kind }) => kind === 'typedef');
  return typedef?.kind === 'typedef' && typedef.type.kind === 'named' && typedef.type.name === item.name;
}

function richer(known: RawItem, item: RawItem): RawItem {
  if (item.kind === 'record' && known.kind === 'record') return item.complete && !known.complete ? item : known;
  if (item.kind === 'function' && known.kind === 'function' && !known.prototyped && item.prototyped) return item;
  return known.comment === null && item.comment !== null ? { ...known, comment: item.comment } : known;
}

type Converted = readonly Item[];

function convert(item: RawItem, context: Context): Converted {
  const skip = (reason: string): Converted => {
    context.skipped.push({ name: item.name, place: item.place, output: 'ir', reason });
    return [];
  };
  const { name, place } = item;
  switch (item.kind) {
    case 'function':
      if (!item.external) return skip(`static ${item.inline ? 'inline ' : ''}function: no library exports it`);
      if (item.inline) return skip('inline function: its code is in the header, and no library needs to export it');
      return convertFunction(item, context, skip);
    case 'macro':
      return convertMacro(item, context, skip);
    case 'enum':
      return convertEnum(item, context, skip);
    case 'typedef': {
      const result = toCType(item.type, context.raw.widths);
      if ('reason' in result) return skip(result.reason);
      return [{ kind: 'typedef', name, place, type: result.type, docs: docsOf(item, []) }];
    }
    case 'record': {
      const { size, align, union } = item;
      const layout = size === null || align === null ? null : { size: Number(size), align: Number(align) };
      return [{ kind: 'record', name, place, union, layout, fields: [], docs: docsOf(item, []) }];
    }
    case 'function-macro':
      return skip('macro with parameters: it has no type and no value of its own');
    case 'variable':
      return skip('variable: only functions and constants are bound');
  }
}

function convertFunction(item: RawFunction, context: Context, skip: (reason: string) => Converted): Converted {
  const { widths } = context.raw;
  const returns = toCType(item.returns, widths);
  if ('reason' in returns) return skip(returns.reason);
  const candidates = [];
  for (const [index, parameter] of item.parameters.entries()) {
    const result = toParameterType(parameter.type, widths);
    if ('reason' in result) return skip(result.reason);
    const length = parameter.type.kind === 'array' ? parameter.type.length : null;
    const fixedLength = length === null ? null : Number(length);
    candidates.push({ name: parameter.name || unnamed(index), type: result.type, fixedLength });
  }
  const names = candidates.map(({ name }) => name);
  const docs = docsOf(item, names);
  const override = context.overrides.get(item.name);
  const ask = (question: string, asked: Asked) =>
    context.questions.push({ place: item.place, function: item.name, text: `${item.name}: ${question}`, asked });
  if (override !== undefined) context.questions.push(...misfits(override, item.place, candidates));
  return [
    {
      kind: 'function',
      name: item.name,
      place: item.place,
      parameters: parameterRoles(
        candidates,
        { docs, overrides: override?.parameters ?? {}, resolve: context.resolve },
        ask,
      ),
      returns: returns.type,
      meaning: returnMeaning(returns.type, docs, item.noReturn, override?.returns, ask),
      variadic: item.variadic,
      prototyped: item.prototyped,
      docs,
    } satisfies FunctionItem,
  ];
}

function convertMacro(item: RawMacro, { raw }: Context, skip: (reason: string) => Converted): Converted {
  const { name, place, value } = item;
  if (value.kind === 'none') return skip(value.reason);
  const docs = docsOf(item, []);
  if (value.kind === 'string')
    return [{ kind: 'constant', name, place, value: { kind: 'string', value: value.text }, docs }];
  if (value.kind === 'float') {
    const bits = value.type === 'float' ? 32 : 64;
    return [
      { kind: 'constant', name, place, value: { kind: 'float', value: floatText(value.image, bits), bits }, docs },
    ];
  }
  const type = integerType(value.type, raw.widths);
  if (type === null) return skip(`a value of type ${value.type} is not supported`);
  return [{ kind: 'constant', name, place, value: { kind: 'integer', value: value.value, type }, docs }];
}

/** The values of an enum without a name are constants of their own. */
function convertEnum(item: RawEnum, { raw }: Context, skip: (reason: string) => Converted): Converted {
  const { name, place } = item;
  const result = toCType(item.type, raw.widths);
  if ('reason' in result) return skip(result.reason);
  const { type } = result;
  const values: EnumItem['values'][number][] = [];
  for (const { name: constant, value } of item.values) {
    if (value === null) return skip(`the value of ${constant} could not be read`);
    values.push({ name: constant, value });
  }
  if (name !== '') return [{ kind: 'enum', name, place, type, values, docs: docsOf(item, []) }];
  return values.map(
    (entry): ConstantItem => ({
      kind: 'constant',
      name: entry.name,
      place,
      value: { kind: 'integer', value: entry.value, type: enumeratorType(entry.value, type) },
      docs: null,
    }),
  );
}

/** C gives an enumerator the type int wherever its value fits, whatever the type of the enum. */
function enumeratorType(value: string, type: CType): CType {
  const fits = BigInt.asIntN(32, BigInt(value)) === BigInt(value);
  return fits ? { kind: 'integer', signed: true, bits: 32, spelling: 'int' } : type;
}

function docsOf(item: RawItem, parameters: readonly string[]): Docs | null {
  const docs = item.comment === null ? null : matchDocs(parseDocs(item.comment), parameters);
  if (!item.deprecated || docs?.deprecated) return docs;
  const empty: Docs = { summary: '', details: '', parameters: {}, returns: '', deprecated: null };
  return { ...(docs ?? empty), deprecated: 'Marked so by an attribute in the header.' };
}
