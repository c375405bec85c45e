import { basename } from 'node:path';
import { readPinFile } from '../effects/pin-files.ts';
import type { Config } from '../plan/config.ts';
import { editJson, type JsonEdit } from '../plan/edit-json.ts';
import { buildError } from '../plan/errors.ts';
import { type FirmwareArtifact, type FirmwarePins, parseFirmwarePins } from '../plan/pins.ts';
import type { Target } from '../plan/targets.ts';
import { formatBytes } from '../run/lines.ts';
import type { PinChange, PinRow } from './pin-change.ts';

/** What was found out about one target's package. */
export interface MeasuredFirmware {
  readonly target: Target;
  readonly artifact: FirmwareArtifact;
  readonly kernel: string | null;
  readonly exports: readonly string[];
  /** Of the pinned and of the new package itself; the kernel's own is another. */
  readonly licenses: readonly (string | null | undefined)[];
}

const FILE = 'libkrunfw.json';

/** Puts what was measured into the project's pins, and tells what that changes. */
export async function editFirmwarePins(
  config: Config,
  pinned: FirmwarePins['providers']['npm'],
  measured: readonly MeasuredFirmware[],
): Promise<PinChange> {
  const version = agreed(measured, 'the version of libkrunfw', ({ artifact }) => versionOf(artifact.member));
  const kernel = agreed(measured, 'the kernel', (one) => one.kernel);
  const text = await readPinFile(config, FILE);
  if (text === undefined || version === null) {
    throw buildError('A3S1612', { message: 'no file in the packages tells the version of libkrunfw in its name' });
  }
  const sources = pinned.correspondingSource.map((url) => movedSource(url, pinned, { version, kernel }));
  const edits: JsonEdit[] = [
    { path: ['version'], value: version },
    { path: ['kernel'], value: kernel },
    ...sources.map((url, index) => ({ path: ['correspondingSource', index], value: url })),
    ...measured.flatMap(({ target, artifact }) => artifactEdits(target, artifact)),
  ];
  const content = editJson(
    text,
    edits.map(({ path, value }) => ({ path: ['providers', 'npm', ...path], value })),
  );
  parseFirmwarePins(content, FILE);
  const unmoved = sources.filter((url) => pinned.version !== version && pinned.correspondingSource.includes(url));
  return {
    rows: rowsOf(pinned, measured, { version, kernel }),
    abi: [],
    notes: [
      ...unmoved.map((url) => `correspondingSource ${url} names no version: look whether it is still right`),
      ...measured
        .filter((one) => one.kernel === null)
        .map(({ target }) => `no kernel banner was found for ${target.id}: its kernel is not verified`),
      'the licence is that of libkrunfw and Linux as pinned; read the new sources before you commit',
    ],
    files: [{ path: FILE, content }],
  };
}

/** Field by field, so that layout and comments of the document stay. */
function artifactEdits(target: Target, { sources, archive, member, file }: FirmwareArtifact): JsonEdit[] {
  const at = (...path: (string | number)[]): (string | number)[] => ['targets', target.id, ...path];
  const [source] = sources;
  return [
    ...(source?.kind === 'npm' ? [{ path: at('sources', 0, 'version'), value: source.version }] : []),
    { path: at('archive', 'size'), value: archive.size },
    { path: at('archive', 'integrity'), value: archive.integrity },
    { path: at('member'), value: member },
    { path: at('file', 'size'), value: file?.size },
    { path: at('file', 'sha256'), value: file?.sha256 },
  ];
}

interface Versions {
  readonly version: string;
  readonly kernel: string | null;
}

function rowsOf(
  pinned: FirmwarePins['providers']['npm'],
  measured: readonly MeasuredFirmware[],
  { version, kernel }: Versions,
): PinRow[] {
  const each = measured.flatMap(({ target, artifact, licenses, exports }): PinRow[] => {
    const before = pinned.targets[target.id];
    const size = (one: FirmwareArtifact | undefined): string =>
      `${formatBytes(one?.archive.size ?? 0)}, kernel library ${formatBytes(one?.file?.size ?? 0)}`;
    const [licenseBefore, license] = licenses.map((text) => text ?? 'not stated');
    const package_ = (one: FirmwareArtifact | undefined): string =>
      (one?.sources ?? []).map((source) => (source.kind === 'npm' ? `${source.package} ${source.version}` : '')).join();
    return [
      { what: target.id, before: package_(before), after: package_(artifact) },
      { what: '  size', before: size(before), after: size(artifact) },
      { what: '  package licence', before: licenseBefore ?? '', after: license ?? '' },
      { what: '  exports', before: null, after: exports.join(', ') },
    ];
  });
  const name = (text: string | null): string => text ?? 'not measured';
  return [
    { what: 'libkrunfw', before: pinned.version, after: version },
    { what: 'Linux', before: name(pinned.kernel), after: name(kernel) },
    { what: 'licence', before: pinned.license, after: pinned.license },
    ...each,
  ];
}

/** What all targets that tell it agree on. @throws BuildError A3S1612 when they do not. */
function agreed(
  measured: readonly MeasuredFirmware[],
  what: string,
  tell: (one: MeasuredFirmware) => string | null,
): string | null {
  const told = measured.map((one) => [one.target.id, tell(one)] as const).filter(([, value]) => value !== null);
  const values = new Set(told.map(([, value]) => value));
  if (values.size <= 1) return told[0]?.[1] ?? null;
  const list = told.map(([id, value]) => `${id} ${value}`).join(', ');
  throw buildError('A3S1612', { message: `the packages do not agree on ${what}: ${list}` });
}

/** `libkrunfw.so.5.6.1` tells it; a file that is named by its ABI alone does not. */
function versionOf(member: string): string | null {
  return /\.so\.(\d+\.\d+\.\d+)$/.exec(basename(member))?.[1] ?? null;
}

/** The same address for other versions: those of libkrunfw and Linux, and the folder of Linux's major version. */
function movedSource(
  url: string,
  before: Pick<Versions, 'version'> & { kernel: string | null },
  after: Versions,
): string {
  const moved = url.replace(`v${before.version}`, `v${after.version}`);
  if (before.kernel === null || after.kernel === null) return moved;
  const major = (kernel: string): string => `/v${kernel.split('.')[0]}.x/`;
  return moved
    .replace(`linux-${before.kernel}.`, `linux-${after.kernel}.`)
    .replace(major(before.kernel), major(after.kernel));
}
