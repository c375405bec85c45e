import type { HeaderIr, Item, Place, Skipped } from './ir.ts';
import { type NodeModel, nodeModel } from './napi-model.ts';
import { groupTargets, type PerTargets } from './target-groups.ts';

export interface CommonIr {
  /** Of the first target, with those functions and constants only that Node can offer in the same way everywhere. */
  readonly ir: HeaderIr;
  readonly skipped: readonly Skipped[];
}

/** What an addon that is the same for every target can be made from. */
export function commonIr(groups: readonly PerTargets<HeaderIr>[]): CommonIr {
  const [first, ...others] = groups;
  if (first === undefined) throw new Error('there is no target');
  if (others.length === 0) return { ir: first.value, skipped: [] };
  const models = groups.map(({ targets, value }) => ({ targets, ir: value, model: nodeModel(value) }));
  const offers = new Map<string, PerTargets<Offer>[]>();
  for (const { targets, ir, model } of models) {
    for (const value of offersOf(model, ir)) {
      offers.set(value.name, [...(offers.get(value.name) ?? []), { targets, value }]);
    }
  }
  const differing = [...offers.values()].flatMap((list) => differenceOf(list, groups.length));
  const different = new Set(differing.map(({ name }) => name));
  const same = (name: string): boolean => offers.has(name) && !different.has(name);
  const items = first.value.items.flatMap((item) => commonItem(item, same));
  const reported = new Set([...offers.keys(), ...items.map(({ name }) => name)]);
  const never = models.flatMap(({ model }) => model.skipped).filter(({ name }) => isFirst(name, reported));
  return { ir: { ...first.value, items }, skipped: [...differing, ...never] };
}

interface Offer {
  readonly name: string;
  readonly place: Place;
  /** All that JavaScript and the addon's source see of it. */
  readonly content: string;
}

/** Parts of the model that only say where something comes from. */
const ORIGIN: ReadonlySet<string> = new Set(['item', 'parameter', 'docs']);

function offersOf({ functions, constants }: NodeModel, ir: HeaderIr): readonly Offer[] {
  const places = new Map<string, Place>();
  for (const item of ir.items) {
    places.set(item.name, item.place);
    if (item.kind === 'enum') for (const { name } of item.values) places.set(name, item.place);
  }
  const offer = (name: string, model: object): Offer => ({
    name,
    place: places.get(name) ?? { file: ir.headers[0] ?? '', line: 1 },
    content: JSON.stringify(model, (key, value: unknown) => (ORIGIN.has(key) ? undefined : value)),
  });
  return [...functions.map((one) => offer(one.item.name, one)), ...constants.map((one) => offer(one.name, one))];
}

function differenceOf(offers: readonly PerTargets<Offer>[], groupCount: number): readonly Skipped[] {
  const [offer] = offers;
  if (offer === undefined) return [];
  const { name, place } = offer.value;
  const skip = (reason: string): readonly Skipped[] => [{ name, place, output: 'node', reason }];
  const variants = groupTargets(offers, ({ content }) => content).map(({ targets }) => targets.join(', '));
  if (variants.length > 1) return skip(`differs between targets: ${variants.join(' | ')}`);
  return offers.length === groupCount ? [] : skip(`can be offered for ${variants[0]} only`);
}

function commonItem(item: Item, same: (name: string) => boolean): readonly Item[] {
  if (item.kind === 'enum') return [{ ...item, values: item.values.filter(({ name }) => same(name)) }];
  return (item.kind !== 'function' && item.kind !== 'constant') || same(item.name) ? [item] : [];
}

function isFirst(name: string, seen: Set<string>): boolean {
  return !seen.has(name) && seen.add(name) !== undefined;
}
