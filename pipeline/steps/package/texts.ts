import { TARGETS } from '../../plan/targets.ts';
import { type Contents, hasEdk2 } from './contents.ts';
import { crateTexts } from './crate-texts.ts';
import { crateKey } from './crates.ts';
import { addonName } from './names.ts';
import type { Versions } from './versions.ts';

/**
 * THIRD-PARTY-NOTICES.md.
 * @param known Licence texts that the package carries, by their names below `licenses/`.
 */
export function notices(contents: Contents, known: ReadonlyMap<string, string>): string {
  const { target, libkrun, firmware, ownInit, crates, linked } = contents;
  const kernel = firmware.kernel === null ? '' : ` ${firmware.kernel}`;
  return lines(
    '# Third-party notices',
    '',
    'The files of this package hold software of others, under these licences. Their texts are in `licenses/`.',
    '',
    '| file | holds | licence |',
    '|---|---|---|',
    `| lib/${target.libraryFile} | libkrun ${libkrun.version} | ${libkrun.license} |`,
    `| lib/${target.libraryFile} | the guest's init of libkrun | ${libkrun.license} |`,
    ...optional(
      ownInit,
      `| lib/${target.libraryFile} | a C library, linked into that init (glibc, where the system's compiler uses it) | LGPL-2.1-or-later |`,
    ),
    ...optional(
      hasEdk2(target),
      `| lib/${target.libraryFile} | EDK2, firmware for guests (licenses/edk2.txt) | BSD-2-Clause-Patent |`,
    ),
    `| lib/${target.firmwareFile} | libkrunfw${firmware.version === null ? '' : ` ${firmware.version}`}, the library around the kernel | LGPL-2.1-only |`,
    `| lib/${target.firmwareFile} | the Linux kernel${kernel}, run as the guest's | GPL-2.0-only |`,
    `| lib/${target.libraryFile}, bin/krun-launcher, ${addonName(target)} | the Rust standard library | MIT OR Apache-2.0 |`,
    `| the same | the Rust crates below | as each states |`,
    '',
    'The kernel and the library around it are separate works: they are loaded at run time, and may be replaced by',
    `others under the same file name. \`SOURCE.md\` says where the source is.`,
    '',
    '## Rust crates',
    '',
    'Those that cargo links into the binaries for this system, with the features that they are built with; what only runs',
    'to build them is not here. A crate without a licence of its own is a part of the source tree that it lies in.',
    '',
    '| crate | version | licence |',
    '|---|---|---|',
    ...crates.map((crate) => `| ${crate.name} | ${crate.version} | ${statedLicense(crate.license)} |`),
    '',
    '## Texts of the crates',
    '',
    ...crateTexts(linked.crates, known),
    `## The Rust standard library ${linked.rust.version}`,
    '',
    ...(linked.rust.notices === null
      ? [`copyright notices: ${UNKNOWN}`]
      : ['```text', linked.rust.notices.replaceAll('```', "'''"), '```']),
  );
}

/** What stands in SOURCE.md for what nobody knows. */
const UNKNOWN = 'unknown';

/** SOURCE.md: the source that corresponds to the binaries. It tells nothing that versions.json does not hold. */
export function sourceNotice({ target: id, libkrun, libkrunfw, builtWith }: Versions): string {
  const target = TARGETS[id];
  const { crate } = libkrun;
  const { version, kernel, origins, correspondingSource } = libkrunfw;
  return lines(
    '# Corresponding source',
    '',
    `## lib/${target.firmwareFile}`,
    '',
    version === null
      ? `A libkrunfw that the packager supplied (${libkrunfw.provider}). Its source is the packager's to name.`
      : `libkrunfw ${version}, the file as its publisher built it.`,
    '',
    `- kernel: ${kernel === null ? UNKNOWN : `Linux ${kernel}`}`,
    `- sha256: ${libkrunfw.sha256}`,
    ...(origins.length === 0 ? [`- published in: ${UNKNOWN}`] : []),
    ...origins.map(({ place, member, digest }) => `- published in: ${place}, ${member} (${digest})`),
    ...(correspondingSource.length === 0 ? [`- source: ${UNKNOWN}`] : []),
    ...correspondingSource.map(({ url, digest }) => `- source: ${url} (digest: ${digest ?? UNKNOWN})`),
    `- patches for the kernel, and its configuration: ${version === null ? UNKNOWN : 'in the source of libkrunfw, below `patches` and beside it'}`,
    '',
    `## lib/${target.libraryFile}`,
    '',
    crate === null
      ? `libkrun ${libkrun.version}, built from a source tree of the packager's.`
      : `libkrun ${libkrun.version}, built from the source inside the crate ${crateKey(crate)} (sha256 ${crate.checksum}).`,
    '',
    `- built by: a3s-build ${builtWith['a3s-build']}, with the features ${libkrun.features.join(', ')}`,
    ...(crate === null ? [`- source: ${UNKNOWN}`] : []),
    ...libkrun.correspondingSource.map((url) => `- ${crate === null ? 'upstream' : 'source'}: ${url}`),
    `- the guest's init inside it: ${libkrun.ownInit ? 'built from the same source' : UNKNOWN}`,
  );
}

/** README.md of the root package. */
export function readme(root: { readonly name: string; readonly platforms: readonly string[] }): string {
  return lines(
    `# ${root.name}`,
    '',
    'Boots Linux microVMs with [libkrun](https://github.com/containers/libkrun), from Node.js. Nothing is compiled or',
    `downloaded at installation: the binaries come in one package for each platform (${root.platforms.join(', ')}).`,
    '',
    '```js',
    `import { run } from '${root.name}';`,
    '',
    '// A folder that holds a Linux system becomes the root of the guest.',
    "const code = await run({ root: './rootfs', command: '/bin/uname', arguments: ['-r'] });",
    '```',
    '',
    '`run` starts the VM in a process of its own and gives a handle: await it for the exit code, or use `stdin`, `stdout`,',
    '`stderr`, `kill()` and `exit`. The streams are those of this process unless an option says otherwise:',
    '',
    '```js',
    "const vm = run(config, { stdio: 'pipe', signal: AbortSignal.timeout(60_000) });",
    'vm.stdout.pipe(process.stdout);',
    'const { code, signal } = await vm.exit;',
    '```',
    '',
    '| exit code | meaning |',
    '|---|---|',
    "| 126, 127 | the command is not executable, or was not found; or the command's own code |",
    '| 128 + n | ended by signal n |',
    "| others | the command's own |",
    '',
    'A VM that could not run is no exit code but a `VmError` with a `code` such as `LAUNCHER_NO_KVM`; binaries that cannot',
    'be used here are a `LoadError` with a `code` such as `LOADER_GLIBC_TOO_OLD`. `index.d.ts` lists both.',
    '',
    'The functions and constants of libkrun.h are in `raw`, and one by one in the subpath `/raw`. A function that takes',
    'the process over (`krun_start_enter`) ends it with the guest; `run` does not.',
    '',
    'Needs, by platform: Linux with glibc and access to `/dev/kvm`; macOS on Apple silicon.',
  );
}

/** README.md of a stub. */
export function stubReadme(name: string): string {
  return lines(
    `# ${name}, a stub`,
    '',
    'Made by a3s-build with `A3S_DEPS_STUB` set, for compiling and testing where libkrun cannot be: it has the exports,',
    'declarations and constants of the real package and holds no libkrun. Every function throws an error with the `code`',
    '`ERR_LIBKRUN_STUB`, and `run()` rejects with one. Unset `A3S_DEPS_STUB` and build again for the real package.',
    '',
    'It is private: npm does not publish it.',
  );
}

/** NOASSERTION is SPDX's word for a crate that states none. */
function statedLicense(license: string | null): string {
  return license === null || license === 'NOASSERTION' ? 'that of its source tree' : license;
}

function optional(wanted: boolean, ...text: readonly string[]): readonly string[] {
  return wanted ? text : [];
}

function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
