import { buildError } from '../../plan/errors.ts';
import { withLineOfName } from '../source-line.ts';
import { significantBody } from './macro-text.ts';
import type { RawItem, RawUnit } from './raw.ts';
import type { HeaderFile } from './request.ts';

type Definition = Extract<RawItem, { readonly kind: 'macro' | 'function-macro' }>;

/**
 * Whoever includes one of two headers sees the value that it gives a macro; bindings could offer only one of two. The
 * parser allows that where `#undef` stands between them. Functions and types that differ are errors of its own.
 * @throws BuildError A3S3002 with both places.
 */
export function refuseDisagreement(unit: RawUnit, files: readonly HeaderFile[]): void {
  const known = new Map<string, Definition>();
  for (const item of unit.items) {
    if (item.kind !== 'macro' && item.kind !== 'function-macro') continue;
    const first = known.get(item.name);
    known.set(item.name, first ?? item);
    if (first === undefined || first.place.file === item.place.file || meaning(first) === meaning(item)) continue;
    throw buildError('A3S3002', {
      message: `${item.name} has one value in ${first.place.file} and another in ${item.place.file}`,
      cause: 'Two headers disagree, and the bindings could hold only one of the two values.',
      fix: 'Give the macro one value, or another name in one of the headers.',
      where: withLineOfName(item.place, item.name, files),
      also: withLineOfName(first.place, first.name, files),
    });
  }
}

/** What a definition stands for, however it is spaced. Macros with parameters are not bound, so theirs do not count. */
function meaning(definition: Definition): string {
  return definition.kind === 'macro' ? significantBody(definition.body).replace(/\s+/g, ' ') : '()';
}
