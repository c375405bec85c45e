import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfThere, withDiskErrors, writeFileWhole } from '../effects/files.ts';
import { runProcess } from '../effects/process.ts';
import { cargoQueryEnvironment } from '../plan/child-environment.ts';
import type { CargoWorkspace } from './cargo.ts';
import type { Crates } from './cargo-metadata.ts';
import { compileError } from './compile-error.ts';
import type { StepContext } from './step.ts';

/** Holds what the crates inside a binary ask whoever passes it on to pass on too; an output of the step that builds it. */
const NOTICES_FILE = 'notices.json';

/** A crate whose code is inside a binary, with the texts that it carries. */
export interface LinkedCrate {
  readonly name: string;
  readonly version: string;
  /** SPDX expression as the crate states it; null where it states none. */
  readonly license: string | null;
  readonly authors: readonly string[];
  /** Licences and notices, by path inside the crate. */
  readonly texts: readonly { readonly file: string; readonly text: string }[];
}

/** What the code of others inside a binary asks to pass on. */
export interface LinkedNotices {
  readonly crates: readonly LinkedCrate[];
  readonly rust: RustLibrary;
}

/** The Rust standard library, which is inside every binary. */
export interface RustLibrary {
  readonly version: string;
  /** What the toolchain says about its copyrights; null where it carries no such document. */
  readonly notices: string | null;
}

/** Names of files with licences, and with what some licences ask to pass on. */
const LICENSE_FILE = /^(licen[cs]es?|copying|copyright|notice|unlicense|patents)([-_.].*)?$/i;
/** Code in a crate's folder that is not compiled into its library. */
const NOT_LINKED = new Set(['target', 'tests', 'test', 'examples', 'benches', 'fuzz', '.github']);
/** Bytes at most of one text; the longest known has 40 kB. */
const LONGEST_TEXT = 512 * 1024;

/**
 * Asks cargo which crates are linked into `root` for the target with the features given, and writes their texts into the
 * step's output. Build scripts, macros and what is for other systems are not among them.
 * @returns SPDX licence by `name@version`.
 */
export async function recordLinkedCrates(
  context: StepContext,
  workspace: CargoWorkspace,
  crates: Crates,
  { root, features = [] }: { readonly root: string; readonly features?: readonly string[] },
): Promise<Readonly<Record<string, string>>> {
  const keys = await askCargo(context, workspace, root, features);
  const linked = await Promise.all(
    keys.map(async (key): Promise<LinkedCrate> => {
      const { name, version, license: stated, authors, folder } = crates.find(key);
      // Cargo's older spelling of a choice is no SPDX expression.
      const license = stated?.replaceAll('/', ' OR ') ?? null;
      return { name, version, license, authors, texts: await readTexts(folder) };
    }),
  );
  const notices: LinkedNotices = { crates: linked, rust: await readRust(context) };
  await writeFileWhole(join(context.out, NOTICES_FILE), `${JSON.stringify(notices, null, 2)}\n`);
  return Object.fromEntries(
    linked.map(({ name, version, license }) => [`${name}@${version}`, license ?? 'NOASSERTION']),
  );
}

/** Reads what {@link recordLinkedCrates} wrote. */
export async function readLinkedNotices(folder: string): Promise<LinkedNotices> {
  const file = join(folder, NOTICES_FILE);
  return JSON.parse(await withDiskErrors(file, () => readFile(file, 'utf8'))) as LinkedNotices;
}

/** Where toolchains of rustup have the document. */
const RUST_NOTICES = 'share/doc/rust/COPYRIGHT-library.html';

async function readRust({ config, toolchain }: StepContext): Promise<RustLibrary> {
  const { rustc } = config.environment;
  const version = /^release: (\S+)/m.exec((await toolchain.ask(rustc, ['-vV'])) ?? '')?.[1] ?? 'unknown';
  const sysroot = await toolchain.ask(rustc, ['--print', 'sysroot']);
  const html = sysroot === undefined ? undefined : await readTextIfThere(join(sysroot.trim(), RUST_NOTICES));
  return { version, notices: html === undefined ? null : htmlText(html) };
}

/** The text of a document that is headings, lists and preformatted text. */
export function htmlText(html: string): string {
  const body = html.replace(/^[\s\S]*<body[^>]*>/i, '').replace(/<[^>]*>/g, '');
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'", nbsp: ' ' };
  const decoded = body.replace(/&(?:#(\d{1,6})|(\w+));/g, (whole, number: string | undefined, name: string) =>
    number === undefined ? (named[name] ?? whole) : String.fromCodePoint(Number(number)),
  );
  return decoded
    .replace(/\r\n?/g, '\n')
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

async function askCargo(
  context: StepContext,
  workspace: CargoWorkspace,
  root: string,
  features: readonly string[],
): Promise<string[]> {
  const { config, variables, log, signal, background } = context;
  const result = await runProcess({
    command: config.environment.cargo,
    args: [
      ...['tree', '--locked', '--manifest-path', workspace.manifest, '--target', config.target.triple],
      ...['-p', root, ...(features.length === 0 ? [] : ['--features', features.join(',')])],
      ...['--edges', 'normal,no-proc-macro', '--prefix', 'none', '--format', '{p}'],
    ],
    cwd: config.projectRoot,
    env: cargoQueryEnvironment(variables, true),
    signal,
    background,
  });
  if (result.code !== 0) throw await compileError('cargo tree', result, log);
  return linkedKeys(result.stdout);
}

/** `name@version` of each line such as `libc v0.2.180 (*)`, sorted. */
export function linkedKeys(tree: string): string[] {
  const lines = tree.split('\n').flatMap((line) => /^(\S+) v(\S+)/.exec(line)?.slice(1, 3).join('@') ?? []);
  return [...new Set(lines)].sort();
}

/** Texts in the crate's folder, and one below: crates that compile C code have it in a folder of its own. */
async function readTexts(folder: string): Promise<LinkedCrate['texts']> {
  const entries = await withDiskErrors(folder, () => readdir(folder, { withFileTypes: true }));
  const below = entries.filter((entry) => entry.isDirectory() && !NOT_LINKED.has(entry.name));
  const lists = await Promise.all(
    below.map(async ({ name }) => {
      const inside = await withDiskErrors(folder, () => readdir(join(folder, name), { withFileTypes: true }));
      return inside.filter((entry) => entry.isFile()).map((entry) => `${name}/${entry.name}`);
    }),
  );
  const files = [...entries.filter((entry) => entry.isFile()).map(({ name }) => name), ...lists.flat()];
  const wanted = files.filter((file) => LICENSE_FILE.test(file.split('/').at(-1) ?? '')).sort();
  const texts = await Promise.all(wanted.map((file) => readText(folder, file)));
  return texts.filter(({ text }) => text !== '');
}

async function readText(folder: string, file: string): Promise<{ file: string; text: string }> {
  const path = join(folder, file);
  const bytes = await withDiskErrors(path, () => readFile(path));
  const text = bytes
    .subarray(0, LONGEST_TEXT)
    .toString('utf8')
    .replace(/\r\n?/g, '\n')
    .replace(/[ \t]+$/gm, '');
  return { file, text: text.replace(/^\n+|\n+$/g, '') };
}
