import { areAlike, modelsOf } from './alike.ts';
import type { Clang, CXTranslationUnit, LoadedClang } from './clang.ts';
import { assertionOf, type Evaluated, evaluateAll, readDeclared } from './evaluate.ts';
import type { RawItem, RawUnit, RawValue, RawWidths } from './raw.ts';
import type { UnitRequest } from './request.ts';
import { walkUnit } from './walk.ts';

const WIDTHS = { short: 'short', int: 'int', long: 'long', 'long long': 'long long', pointer: 'void *' } as const;

/**
 * Reads translation units with a libclang, of the system or embedded. Where several are of the same headers for other
 * targets, the first one is read in whole; of the others only whether a target makes a difference: in how declarations
 * come out, or in the value of a macro, a size or an offset. One that differs in any of that is read in whole, too.
 * @param requests all that will be asked for, in the order in which they are
 */
export function unitReader(
  loaded: LoadedClang,
  requests: readonly UnitRequest[],
): (request: UnitRequest) => Promise<RawUnit> {
  const models = modelsOf(requests);
  const compared = new Set(models.values());
  const read = new Map<UnitRequest, Promise<Whole>>();
  return async (request) => {
    const model = models.get(request);
    const whole = model === undefined ? undefined : await read.get(model);
    const unit = whole === undefined ? undefined : await unitLike(whole, loaded, request);
    if (unit !== undefined) return unit;
    const own = readWhole(loaded, request, compared.has(request));
    read.set(request, own);
    return (await own).unit;
  };
}

/** A unit that was read in whole, with what that tells of others. */
interface Whole extends Evaluated {
  readonly unit: RawUnit;
  /** The expressions that were evaluated. */
  readonly expressions: readonly string[];
}

/** @param compared whether others will be compared with it */
async function readWhole(loaded: LoadedClang, request: UnitRequest, compared: boolean): Promise<Whole> {
  const { target, headers } = request;
  return loaded.withFiles(request, async (parserFor) => {
    const walked = await parserFor('macros')(includesOf(request), (unit, diagnosticsOf) => {
      const diagnostics = diagnosticsOf();
      return diagnostics.length > 0 ? diagnostics : walkItems(newClang(loaded), unit, request);
    });
    if (!('expressions' in walked)) {
      const unit = { target, headers, widths: noWidths(), items: [], diagnostics: walked };
      return { unit, expressions: [], values: [], declared: [] };
    }
    const { clang, expressions, items } = walked;
    const evaluated = await evaluateAll(clang, parserFor('declarations'), includesOf(request), expressions, compared);
    const { values } = evaluated;
    const unit = { target, headers, widths: widthsFrom(values), items: items(values), diagnostics: [] };
    return { ...evaluated, expressions, unit };
  });
}

/** What was read in whole, for another target; undefined where that makes a difference, or where it cannot be told. */
async function unitLike(whole: Whole, loaded: LoadedClang, request: UnitRequest): Promise<RawUnit | undefined> {
  const expected = whole.expressions.map((expression, index) => assertionOf(expression, whole.values[index], index));
  if (whole.unit.diagnostics.length > 0 || expected.includes(null) || hasBitFields(whole.unit)) return undefined;
  const alike = await loaded.withFiles(request, (parserFor) =>
    parserFor('declarations')(includesOf(request) + expected.join(''), (unit, diagnosticsOf) => {
      if (diagnosticsOf().length > 0) return false;
      return areAlike(whole.declared, readDeclared(newClang(loaded), unit), request);
    }),
  );
  return alike ? { ...whole.unit, target: request.target } : undefined;
}

/** Their widths are printed as they are written, not as what they come to. */
function hasBitFields({ items }: RawUnit): boolean {
  return items.some((item) => item.kind === 'record' && item.fields.some(({ bits }) => bits !== null));
}

function newClang({ api }: LoadedClang): Clang {
  return { api, nested: new Map(), described: new Map() };
}

function includesOf({ headers }: UnitRequest): string {
  return headers.map((name) => `#include "${name}"\n`).join('');
}

function walkItems(clang: Clang, unit: CXTranslationUnit, request: UnitRequest) {
  const expressions = Object.values(WIDTHS).map((type) => `sizeof(${type})`);
  let answers: readonly RawValue[] = [];
  const found = walkUnit(clang, unit, request, (expression) => {
    const index = expressions.push(expression) - 1;
    return () => answers[index] ?? { kind: 'none', reason: 'not evaluated' };
  });
  const items = (values: readonly RawValue[]): readonly RawItem[] => {
    answers = values;
    return found.map(({ finish }) => finish());
  };
  return { clang, expressions, items };
}

function widthsFrom(answers: readonly RawValue[]): RawWidths {
  const entries = Object.keys(WIDTHS).map((name, index) => {
    const answer = answers[index];
    return [name, answer?.kind === 'integer' ? Number(answer.value) : 0];
  });
  return { ...noWidths(), ...Object.fromEntries(entries) };
}

function noWidths(): RawWidths {
  return { short: 0, int: 0, long: 0, 'long long': 0, pointer: 0 };
}
