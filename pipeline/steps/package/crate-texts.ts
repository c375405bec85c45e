import type { LinkedCrate } from '../linked-crates.ts';

/** A text that several crates may carry, word for word. */
interface SharedText {
  readonly text: string;
  /** `name version, file` of each that does. */
  readonly of: string[];
}

/** Crates of several binaries as one list, each once. */
export function mergeLinked(lists: readonly (readonly LinkedCrate[])[]): LinkedCrate[] {
  const merged = new Map(lists.flat().map((crate) => [`${crate.name} ${crate.version}`, crate]));
  return [...merged.keys()].sort().flatMap((key) => merged.get(key) ?? []);
}

/**
 * The licences, copyright lines and notices that the crates carry, each different text once.
 * @param known Texts that lie in `licenses/`, by their names there: they are named instead of repeated.
 */
export function crateTexts(crates: readonly LinkedCrate[], known: ReadonlyMap<string, string>): string[] {
  const names = new Map([...known].map(([file, text]) => [wordsOf(text), file]));
  const shared = new Map<string, SharedText>();
  for (const { name, version, texts } of crates) {
    for (const { file, text } of texts) {
      const entry = shared.get(wordsOf(text)) ?? { text, of: [] };
      entry.of.push(`${name} ${version}, ${file}`);
      shared.set(wordsOf(text), entry);
    }
  }
  return [
    ...[...shared].flatMap(([words, { text, of }]) => section(of, names.get(words), text)),
    ...crates.filter(({ texts }) => texts.length === 0).flatMap(withoutText),
  ];
}

/** Whether two texts are the same, whatever their line breaks and indentation. */
function wordsOf(text: string): string {
  return text.split(/\s+/).filter(Boolean).join(' ');
}

function section(of: readonly string[], known: string | undefined, text: string): string[] {
  const body = known === undefined ? ['```text', text.replaceAll('```', "'''"), '```'] : [`See licenses/${known}.`];
  return [...of.map((line) => `- ${line}`), '', ...body, ''];
}

/** Crates of the source tree itself are under the licence of the tree. */
function withoutText({ name, version, license, authors }: LinkedCrate): string[] {
  if (license === null) return [`- ${name} ${version}: a part of the source tree, under its licence`, ''];
  const by = authors.length === 0 ? '' : `; its authors: ${authors.join(', ')}`;
  return [`- ${name} ${version}: carries no text, and states ${license}${by}`, ''];
}
