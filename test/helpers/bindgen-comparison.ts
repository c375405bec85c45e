import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type RustDeclarations, type RustRecord, readDeclarations } from './rust-declarations.ts';

/** What two bindings files of the same headers disagree on. */
export interface BindingsComparison {
  /** Names that only one of them has: `function krun_x: only bindgen`. */
  readonly names: readonly string[];
  /** What rustc says of both as modules of one crate: types, layouts and values that differ. Empty when it accepts. */
  readonly errors: readonly string[];
  /** How much was compared. */
  readonly compared: Readonly<Record<'functions' | 'constants' | 'records' | 'aliases', number>>;
}

/** Compares our `sys.rs` with what bindgen wrote. */
export function compareBindings(ours: string, theirs: string): BindingsComparison {
  const [own, other] = [withoutTable(ours), readDeclarations(theirs)];
  const records = pairRecords(own, other);
  const shared = <T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>) =>
    [...a.keys()].filter((name) => b.has(name));
  const constants = shared(own.constants, other.constants);
  const aliases = shared(own.aliases, other.aliases);
  const checks = [
    ...constants.map((name) => constantCheck(name, own, other)),
    ...[...records].map(([a, b]) => recordCheck(a, b)),
  ];
  const types = [
    ...[...records].flatMap(([a, b]) => fieldTypes(a, b)),
    ...aliases.map((name): TypePair => [name, own.aliases.get(name) ?? '', other.aliases.get(name) ?? '']),
  ];
  return {
    names: nameDifferences(own, other, records),
    errors: compile(ours, theirs, records, checks, types),
    compared: {
      functions: shared(own.functions, other.functions).length,
      constants: constants.length,
      records: records.size,
      aliases: aliases.length,
    },
  };
}

/** Without the table of functions, which no header declares. */
function withoutTable(ours: string): RustDeclarations {
  const declarations = readDeclarations(ours);
  const table = /^\/\/\/ The functions of a library[\s\S]*?^pub struct (\w+) \{/m.exec(ours)?.[1] ?? '';
  return { ...declarations, records: new Map([...declarations.records].filter(([name]) => name !== table)) };
}

function nameDifferences(own: RustDeclarations, other: RustDeclarations, paired: ReadonlyMap<RustRecord, RustRecord>) {
  const found: string[] = [];
  const note = (kind: string, a: Iterable<string>, b: ReadonlyMap<string, unknown>, side: string): void => {
    for (const name of a) if (!b.has(name)) found.push(`${kind} ${name}: only ${side}`);
  };
  for (const kind of ['function', 'constant'] as const) {
    note(kind, own[`${kind}s`].keys(), other[`${kind}s`], 'ours');
    note(kind, other[`${kind}s`].keys(), own[`${kind}s`], 'bindgen');
  }
  const [oursPaired, theirsPaired] = [new Set(paired.keys()), new Set(paired.values())];
  const unpaired = (records: RustDeclarations['records'], known: ReadonlySet<RustRecord>) =>
    [...records].filter(([, record]) => !known.has(record)).map(([name]) => name);
  note('record', unpaired(own.records, oursPaired), new Map(), 'ours');
  note('record', unpaired(other.records, theirsPaired), new Map(), 'bindgen');
  return found.sort();
}

/** Records of the same name, and those without a name in C that the same members lead to. */
function pairRecords(own: RustDeclarations, other: RustDeclarations): ReadonlyMap<RustRecord, RustRecord> {
  const pairs = new Map<RustRecord, RustRecord>();
  const pair = (a: RustRecord | undefined, b: RustRecord | undefined): void => {
    if (a === undefined || b === undefined || pairs.has(a)) return;
    pairs.set(a, b);
    for (const [inA, inB] of sameFields(a, b))
      pair(own.records.get(baseName(inA.type)), other.records.get(baseName(inB.type)));
  };
  for (const name of own.records.keys()) pair(own.records.get(name), other.records.get(name));
  return pairs;
}

/** The fields that both have, those without a name by their order. */
function sameFields(a: RustRecord, b: RustRecord) {
  const named = (record: RustRecord, anonymous: RegExp) =>
    new Map([...record.fields].map(([name, field]) => [name.replace(anonymous, 'anonymous_$1'), field]));
  const [inA, inB] = [named(a, /^anonymous_(\d+)$/), named(b, /^__bindgen_anon_(\d+)$/)];
  return [...inA].flatMap(([name, field]) => {
    const match = inB.get(name);
    return match === undefined ? [] : [[field, match] as const];
  });
}

function baseName(type: string): string {
  return /(\w+)(?:; [^\]]*\])*\]?$/.exec(type.replace(/(?:; \w+\])+$/, ''))?.[1] ?? '';
}

function constantCheck(name: string, own: RustDeclarations, other: RustDeclarations): string {
  const [a, b] = [own.constants.get(name), other.constants.get(name)];
  const [x, y] = [`ours::${a?.identifier}`, `theirs::${b?.identifier}`];
  if (a?.type.endsWith('CStr'))
    return `const _: () = assert!(equal(${x}.to_bytes_with_nul(), ${y}), "value of ${name}");\n`;
  // bindgen has one type for all fractions; ours has the one that C gives the constant.
  if (a?.type === 'f32' || a?.type === 'f64')
    return `const _: () = assert!((${y} as ${a.type}).to_bits() == ${x}.to_bits(), "value of ${name}");\n`;
  return `const _: () = assert!(${x} as i128 == ${y} as i128, "value of ${name}");\n`;
}

function recordCheck(a: RustRecord, b: RustRecord): string {
  const [x, y] = [`ours::${a.identifier}`, `theirs::${b.identifier}`];
  const facts = ['size_of', 'align_of'].map((fact) => [`${fact}::<${x}>()`, `${fact}::<${y}>()`, fact] as const);
  const offsets = sameFields(a, b)
    .filter(([, inB]) => !/__IncompleteArrayField|__BindgenBitfieldUnit/.test(inB.type))
    .map(
      ([inA, inB]) =>
        [`offset_of!(${x}, ${inA.identifier})`, `offset_of!(${y}, ${inB.identifier})`, inA.identifier] as const,
    );
  const lines = [...facts, ...offsets].map(([p, q, what]) => `assert!(${p} == ${q}, "${a.identifier}: ${what}");`);
  return `const _: () = { use core::mem::*; ${lines.join(' ')} };\n`;
}

/** What is compared, and the two types as each file writes them. */
type TypePair = readonly [what: string, ours: string, theirs: string];

/** Types of the members that both files put into words: bit-fields and flexible arrays have none in Rust. */
function fieldTypes(a: RustRecord, b: RustRecord): readonly TypePair[] {
  return sameFields(a, b)
    .filter(([, inB]) => !/\b__(?:Bindgen|IncompleteArray)/.test(inB.type))
    .map(([inA, inB]) => [`${a.identifier}.${inA.identifier}`, inA.type, inB.type]);
}

/**
 * Bindgen's file with our records in the place of its own: the layouts are compared elsewhere, and now a function, a
 * member and a pointer to a function have the same type in both files, or rustc says that they have not.
 */
function withOurRecords(theirs: string, records: ReadonlyMap<RustRecord, RustRecord>): string {
  const replaced = new Set([...records.values()].map(({ identifier }) => identifier));
  const declarations = theirs
    .replace(/^(?:#\[.*\]\n)*(?:impl|const _)\b[\s\S]*?^\};?\n/gm, '')
    .replace(/^(?:#\[.*\]\n)*pub (?:struct|union) ((?:r#)?\w+)(?:<[^>]*>)? \{[\s\S]*?\}\n/gm, (whole, name: string) =>
      replaced.has(name) ? '' : whole,
    );
  const uses = [...records].map(([a, b]) => `pub use super::ours::${a.identifier} as ${b.identifier};\n`);
  return declarations + uses.join('');
}

const PRELUDE = `#![allow(warnings)]
#![deny(clashing_extern_declarations)]
#[path = "ours.rs"]
pub mod ours;
#[path = "theirs-with-our-records.rs"]
pub mod theirs_with_our_records;
#[allow(clashing_extern_declarations)]
#[path = "theirs.rs"]
pub mod theirs;
const fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() { return false; }
    let mut i = 0;
    while i < a.len() { if a[i] != b[i] { return false; } i += 1; }
    true
}
`;

function compile(
  ours: string,
  theirs: string,
  records: ReadonlyMap<RustRecord, RustRecord>,
  checks: readonly string[],
  types: readonly TypePair[],
): readonly string[] {
  const named = (side: 1 | 2) =>
    `\npub mod compared { use super::*; ${types.map((pair, index) => `pub type T${index} = ${pair[side]};\n`).join('')} }\n`;
  const same = types.map(
    ([what], index) =>
      `const _: fn(theirs_with_our_records::compared::T${index}) -> ours::compared::T${index} = |x| x; // type of ${what}\n`,
  );
  const folder = mkdtempSync(join(tmpdir(), 'a3s-compare-'));
  try {
    writeFileSync(join(folder, 'ours.rs'), ours + named(1));
    writeFileSync(join(folder, 'theirs.rs'), theirs);
    writeFileSync(join(folder, 'theirs-with-our-records.rs'), withOurRecords(theirs, records) + named(2));
    writeFileSync(join(folder, 'lib.rs'), PRELUDE + checks.join('') + same.join(''));
    const options = ['--edition', '2021', '--crate-type', 'lib', '--emit=metadata', '--error-format=json'];
    const { status, stderr } = spawnSync('rustc', [...options, '--out-dir', folder, join(folder, 'lib.rs')], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    const errors = stderr.split('\n').flatMap((line) => (line.startsWith('{') ? errorOf(line) : []));
    return status === 0 || errors.length > 0 ? errors : [stderr];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Diagnostic {
  readonly level: string;
  readonly message: string;
  readonly spans: readonly { readonly file_name: string; readonly text: readonly { readonly text: string }[] }[];
}

/** An error as its message and the line that it is about. */
function errorOf(line: string): readonly string[] {
  const { level, message, spans }: Diagnostic = JSON.parse(line);
  const [span] = spans;
  if (level !== 'error' || span === undefined) return [];
  const text = span.text[0]?.text.trim() ?? '';
  const what = /\/\/ (type of .*)$/.exec(text)?.[1];
  return [what === undefined ? `${basename(span.file_name)}: ${message}: ${text.slice(0, 160)}` : `${what} differs`];
}
