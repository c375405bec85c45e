/** What a build may not depend on. */
export interface Circumstances {
  /** Folder of everything that the build reads and writes. */
  readonly folder: string;
  /** Octal. */
  readonly umask: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** Two of them that have nothing in common; the other one's letters, zone and spelling of `i` have broken builds. */
export const CIRCUMSTANCES: readonly [Circumstances, Circumstances] = [
  { folder: 'one', umask: '022', variables: { TZ: 'UTC', LC_ALL: 'C', LANG: 'C' } },
  {
    folder: "the other's dépôt",
    umask: '077',
    variables: { TZ: 'Asia/Kathmandu', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' },
  },
];

/** `nobody` and `nogroup` on Linux. */
export const NOBODY = 65_534;

/** The command, started under another umask. */
export function underUmask(umask: string, command: readonly string[]): readonly string[] {
  return ['sh', '-c', `umask ${umask} && exec "$@"`, 'sh', ...command];
}

/**
 * The command, started by root as `nobody`. Rust's toolchain is shown at `place`, an empty folder: it often lies in
 * root's home folder, where nobody else may go.
 */
export function asNobody(toolchain: string, place: string, command: readonly string[]): readonly string[] {
  const script = `mount --bind "$1" "$2" && shift 2 && exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups -- "$@"`;
  return ['unshare', '--mount', '--', 'sh', '-c', script, 'sh', toolchain, place, ...command];
}

/** Variables for {@link asNobody}; `path` is the search path of whoever starts it. */
export function nobodyVariables(place: string, home: string, path: string): Readonly<Record<string, string>> {
  const bin = `${place}/bin`;
  const who = { HOME: home, USER: 'nobody', LOGNAME: 'nobody' };
  return { ...who, CARGO: `${bin}/cargo`, RUSTC: `${bin}/rustc`, PATH: `${bin}:${path}` };
}
