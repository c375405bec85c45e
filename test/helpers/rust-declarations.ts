/** A struct or union, as the text of a bindings file declares it. */
export interface RustRecord {
  readonly identifier: string;
  /** Type of each field in order, by the field's name in C where it has one. */
  readonly fields: ReadonlyMap<string, { readonly identifier: string; readonly type: string }>;
}

/** What a bindings file declares, by the names in C; `identifier` is how Rust spells one. */
export interface RustDeclarations {
  readonly functions: ReadonlyMap<string, string>;
  readonly constants: ReadonlyMap<string, { readonly identifier: string; readonly type: string }>;
  readonly records: ReadonlyMap<string, RustRecord>;
  readonly aliases: ReadonlyMap<string, string>;
}

/** Names that Rust reserves: ours are raw identifiers, bindgen's end in an underscore. */
const KEYWORDS = new Set(
  'abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen if impl in let loop macro match mod move mut override priv pub ref return self Self static struct super trait true try type typeof unsafe unsized use virtual where while yield'.split(
    ' ',
  ),
);

function nameOf(identifier: string): string {
  if (identifier.startsWith('r#')) return identifier.slice(2);
  const base = identifier.slice(0, -1);
  return identifier.endsWith('_') && KEYWORDS.has(base) ? base : identifier;
}

/** Reads a file that a generator wrote: one declaration after another, as rustfmt lays them out. */
export function readDeclarations(text: string): RustDeclarations {
  const blocks = [...text.matchAll(/^(?:unsafe )?extern "C" \{\n([\s\S]*?)^\}/gm)].map(([, body = '']) => body);
  const functions = blocks.flatMap((body) => [...body.matchAll(/^ {4}pub fn ((?:r#)?\w+)\s*\(/gm)]);
  const constants = text.matchAll(/^pub const ((?:r#)?\w+)\s*:\s*([^=]+?)\s*=/gm);
  const records = text.matchAll(/^pub (?:struct|union) ((?:r#)?\w+)(?:<[^>]*>)? \{\n?([\s\S]*?)^\}/gm);
  const aliases = text.matchAll(/^pub type ((?:r#)?\w+)\s*=/gm);
  return {
    functions: new Map([...functions].map(([, identifier = '']) => [nameOf(identifier), identifier])),
    constants: new Map(
      [...constants].map(([, identifier = '', type = '']) => [nameOf(identifier), { identifier, type }]),
    ),
    records: new Map(
      [...records].map(([, identifier = '', body = '']) => [
        nameOf(identifier),
        { identifier, fields: readFields(body) },
      ]),
    ),
    aliases: new Map([...aliases].map(([, identifier = '']) => [nameOf(identifier), identifier])),
  };
}

function readFields(body: string): RustRecord['fields'] {
  const fields = body.matchAll(/^ {4}(?:pub )?((?:r#)?\w+): ([\s\S]*?),$(?=\n(?: {4}(?:pub |#|\w)|$))/gm);
  return new Map([...fields].map(([, identifier = '', type = '']) => [nameOf(identifier), { identifier, type }]));
}
