/** Words that cannot name a function or a parameter in a strict-mode module. */
export const RESERVED_JS: ReadonlySet<string> = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends ' +
    'false finally for function if implements import in instanceof interface let new null package private protected ' +
    'public return static super switch this throw true try typeof undefined var void while with yield'
  ).split(' '),
);

const RESERVED_RUST: ReadonlySet<string> = new Set(
  (
    '_ abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen if impl ' +
    'in let loop macro match mod move mut override priv pub ref return self Self static struct super trait true try type ' +
    'typeof unsafe unsized use virtual where while yield'
  ).split(' '),
);

/** Names that every emitted function uses itself, and those that would not be a new name in a list of parameters. */
const TAKEN_RUST: ReadonlySet<string> = new Set(['node', 'call', 'result', 'FUNCTIONS', 'Ok', 'Err', 'Some', 'None']);

/** `krun_set_root` → `krunSetRoot`; a leading underscore stays. */
export function jsFunctionName(cName: string): string {
  return cName.replace(/(?<=[^_])_+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Name of the object that a function returns several values in: `krun_stat` → `KrunStatResult`. */
export function resultTypeName(cName: string): string {
  const name = jsFunctionName(cName);
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}Result`;
}

/** `ctx_id` → `ctxId`; keywords get a trailing underscore. */
export function jsParameterName(cName: string): string {
  const name = jsFunctionName(cName);
  return RESERVED_JS.has(name) ? `${name}_` : name;
}

/** Whether the C name is a word of Rust's grammar. */
export function isRustKeyword(cName: string): boolean {
  return RESERVED_RUST.has(cName);
}

/** The C name as a Rust identifier; what is taken gets a trailing underscore, since the napi macro cannot take `r#`. */
export function rustName(cName: string): string {
  const name = cName.replaceAll('$', '_dollar_');
  return TAKEN_RUST.has(name) || RESERVED_RUST.has(name) ? `${name}_` : name;
}
