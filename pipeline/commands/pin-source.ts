import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { changeSections, verdictLines } from '../bindings/abi-report.ts';
import { hashFile, readTextIfThere, statIfThere, withDiskErrors, writeFileWhole } from '../effects/files.ts';
import { readPinFile } from '../effects/pin-files.ts';
import { cargoHome } from '../effects/toolchain.ts';
import { parseCargoLock, resolvePackage } from '../plan/cargo-lock.ts';
import { editJson } from '../plan/edit-json.ts';
import { BuildError, buildError } from '../plan/errors.ts';
import { type LibkrunPins, parseLibkrunPins } from '../plan/pins.ts';
import { TARGETS } from '../plan/targets.ts';
import { formatBytes } from '../run/lines.ts';
import { readHeaders } from '../steps/headers.ts';
import { unpackSource } from '../steps/source.ts';
import { fetchSourceCrate, pinnedCrateFolder } from '../steps/source-crate.ts';
import { diffHeaderSets } from './bindings-diff.ts';
import { type PinChange, type PinContext, type PinRow, requireNewer } from './pin-change.ts';
import type { Session } from './session.ts';

const FILE = 'libkrun.json';
/** The manifest, the lock and the code that cargo wants of a package, by which the crate is fetched. */
const CRATE_FILES = ['Cargo.toml', 'Cargo.lock', 'src/lib.rs'] as const;

/** A version of the source, unpacked. */
interface Unpacked {
  /** Folder of the source tree. */
  readonly tree: string;
  readonly archive: { readonly size: number; readonly sha256: string };
  readonly license: string | null;
}

/**
 * Makes the pins for another version of the crate that carries libkrun's source.
 * @throws BuildError A3S1611 when cargo's registry does not have it, A3S1612 when it does not hold the source, A3S1613
 *   when it is older than the pinned one.
 */
export async function pinSource(context: PinContext, version: string): Promise<PinChange> {
  const { session, allowDowngrade } = context;
  const { libkrun } = session.pins;
  const { crate } = libkrun;
  await requireNewer(crate.name, crate.version, version, allowDowngrade);
  const temporary = await session.store.temporary('pin');
  try {
    const folder = join(temporary, 'crate');
    await copyManifest(context, folder, version);
    const after = await unpack(context, folder, { version, temporary: join(temporary, 'after') });
    const lock = await readFile(join(folder, 'Cargo.lock'), 'utf8');
    const pins = await measuredPins(libkrun, version, after, checksumOf(lock, crate.name, version));
    const text = await readPinFile(session.config, FILE);
    if (text === undefined) throw buildError('A3S1612', { message: `vendor/${FILE} is missing` });
    const content = editJson(text, [
      { path: ['crate', 'version'], value: pins.crate.version },
      { path: ['crate', 'checksum'], value: pins.crate.checksum },
      { path: ['archive', 'size'], value: pins.archive.size },
      { path: ['archive', 'sha256'], value: pins.archive.sha256 },
      { path: ['library', 'version'], value: pins.library.version },
      { path: ['library', 'abi'], value: pins.library.abi },
    ]);
    parseLibkrunPins(content, FILE);
    const { lines, notes } = await interfaceChange(context, after, join(temporary, 'before'));
    const manifests = CRATE_FILES.map(async (path) => ({
      path: `source-crate/${path}`,
      content: await readFile(join(folder, path), 'utf8'),
    }));
    return {
      rows: rowsOf(libkrun, pins, after.license),
      abi: lines,
      notes: [...notes, ...reviewNotes(libkrun, version)],
      files: [...(await Promise.all(manifests)), { path: FILE, content }],
    };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The manifest that goes with the pins, for the new version; the lock as it is, so that cargo changes little. */
async function copyManifest({ session }: PinContext, folder: string, version: string): Promise<void> {
  const { config, pins } = session;
  const { crate } = pins.libkrun;
  const from = pinnedCrateFolder(config);
  for (const path of CRATE_FILES) {
    const text = await withDiskErrors(join(from, path), () => readFile(join(from, path), 'utf8'));
    await writeFileWhole(join(folder, path), path === 'Cargo.toml' ? withVersion(text, crate.name, version) : text);
  }
}

function withVersion(manifest: string, name: string, version: string): string {
  const line = new RegExp(`^${name} = "=[^"\n]*"$`, 'm');
  if (line.test(manifest)) return manifest.replace(line, `${name} = "=${version}"`);
  throw buildError('A3S1612', { message: `vendor/source-crate/Cargo.toml does not name ${name} in an exact version` });
}

interface UnpackRequest {
  readonly version: string;
  /** Absent for one that is about to be pinned. */
  readonly pinned?: LibkrunPins['archive'];
  readonly temporary: string;
}

/** Fetches a version and unpacks its source, after holding it against the pin where there is one. */
async function unpack({ session, signal }: PinContext, folder: string, request: UnpackRequest): Promise<Unpacked> {
  const { config, pins } = session;
  const { crate, archive } = pins.libkrun;
  const { version, pinned, temporary } = request;
  await mkdir(temporary, { recursive: true });
  // Cargo does not look whether what it unpacked once was changed since: a new pin is made from a fresh download.
  const variables = pinned === undefined ? await freshCargo(session, join(temporary, 'cargo')) : session.variables;
  const context = { config, variables, signal, log: join(config.outDir, 'logs', 'pin.log') };
  const name = { name: crate.name, version };
  const { folder: found, license } = await fetchSourceCrate(context, folder, name, pinned !== undefined);
  const packed = join(found, archive.member);
  const stat = statIfThere(packed);
  if (stat === undefined)
    throw buildError('A3S1612', { message: `${crate.name} ${version} holds no ${archive.member}` });
  const measured = pinned ?? { ...archive, size: Number(stat.size), sha256: await hashFile(packed) };
  const tree = await unpackSource(packed, measured, temporary);
  return { tree, archive: { size: measured.size, sha256: measured.sha256 }, license };
}

/** Variables with a cargo's home that holds no crate, and the user's settings. */
async function freshCargo({ variables }: Session, folder: string): Promise<Session['variables']> {
  const home = cargoHome(variables);
  await mkdir(folder);
  for (const name of ['config', 'config.toml', 'credentials.toml']) {
    if (statIfThere(join(home, name)) !== undefined) await symlink(resolve(home, name), join(folder, name));
  }
  return { ...variables, CARGO_HOME: folder };
}

/** Cargo holds what it downloads against this. */
function checksumOf(lock: string, name: string, version: string): string {
  const refuse = (reason: string): Error => buildError('A3S1612', { message: `the lock that cargo wrote ${reason}` });
  const { checksum } = resolvePackage(parseCargoLock(lock, refuse), `${name} ${version}`, refuse);
  if (checksum === null) throw refuse(`has no checksum for ${name} ${version}`);
  return checksum;
}

async function measuredPins(
  pinned: LibkrunPins,
  version: string,
  { tree, archive }: Unpacked,
  checksum: string,
): Promise<LibkrunPins> {
  const makefile = (await readTextIfThere(join(tree, 'Makefile'))) ?? '';
  const variable = (name: string): string => {
    const value = new RegExp(`^${name}=(\\d[\\d.]*)$`, 'm').exec(makefile)?.[1];
    if (value !== undefined) return value;
    throw buildError('A3S1612', { message: `the Makefile of ${pinned.crate.name} ${version} states no ${name}` });
  };
  return {
    ...pinned,
    crate: { ...pinned.crate, version, checksum },
    archive: { ...pinned.archive, ...archive },
    library: { version: variable('FULL_VERSION'), abi: Number(variable('ABI_VERSION')) },
  };
}

/** What the headers of the two versions differ in. A pinned version that cannot be had any more is told, no failure. */
async function interfaceChange(context: PinContext, after: Unpacked, temporary: string) {
  const { crate, archive } = context.session.pins.libkrun;
  try {
    const folder = pinnedCrateFolder(context.session.config);
    const before = await unpack(context, folder, { version: crate.version, pinned: archive, temporary });
    const sets = await Promise.all(
      [before, after].map(async ({ tree }, index) => ({
        label: index === 0 ? 'pinned' : 'new',
        headers: await readHeaders(tree, []),
      })),
    );
    const { changes, notes } = await diffHeaderSets(sets, context.signal);
    const lines = [...changeSections(changes), ...verdictLines(changes, Object.keys(TARGETS))];
    return { lines, notes: notes.filter((note) => !note.startsWith('pinned')) };
  } catch (error) {
    if (!(error instanceof BuildError) || !['A3S1611', 'A3S2002', 'A3S2003'].includes(error.code)) throw error;
    return { lines: [], notes: [`the interface was not compared: ${error.message}`] };
  }
}

function rowsOf(before: LibkrunPins, after: LibkrunPins, license: string | null): PinRow[] {
  const size = ({ archive }: LibkrunPins): string => formatBytes(archive.size);
  const short = ({ archive }: LibkrunPins): string => `sha256 ${archive.sha256.slice(0, 16)}…`;
  return [
    {
      what: 'crate',
      before: `${before.crate.name} ${before.crate.version}`,
      after: `${after.crate.name} ${after.crate.version}`,
    },
    { what: 'libkrun', before: before.library.version, after: after.library.version },
    { what: 'ABI', before: String(before.library.abi), after: String(after.library.abi) },
    { what: 'source', before: `${size(before)}, ${short(before)}`, after: `${size(after)}, ${short(after)}` },
    { what: 'licence', before: before.license, after: after.license },
    { what: 'crate licence', before: null, after: license ?? 'not stated' },
  ];
}

/** The lists of exports are a person's judgement; the build holds the library against them. */
function reviewNotes({ crate, exports }: LibkrunPins, version: string): string[] {
  if (crate.version === version) return [];
  const count = Object.keys(exports.missing).length + Object.keys(exports.extra).length;
  return [
    `the ${count} reviewed exceptions in exports stay as they are: a build tells whether they still hold`,
    'the licence is that of libkrun as pinned; read the LICENSE of the new source before you commit',
  ];
}
