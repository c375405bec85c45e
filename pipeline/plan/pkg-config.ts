/**
 * Text of `libkrun.pc`. Its paths are relative to the file itself, so that what it describes may be moved.
 * @param libraryFolder Folder of the libraries in the prefix; the file lies in `pkgconfig` below it.
 */
export function pkgConfigText(version: string, libraryFolder: string): string {
  return [
    'prefix=${pcfiledir}/../..',
    `libdir=\${prefix}/${libraryFolder}`,
    'includedir=${prefix}/include',
    '',
    ...description(version, 'Virtualization-based process isolation as a library'),
    'Libs: -L${libdir} -lkrun -Wl,-rpath,${libdir}',
    'Cflags: -I${includedir}',
    '',
  ].join('\n');
}

/** `libkrun.pc` of a stub: there is nothing to link with. */
export function stubPkgConfigText(version: string): string {
  const named = description(version, 'stands in for libkrun; made with A3S_DEPS_STUB');
  return ['libdir=/nonexistent', '', ...named, 'Libs:', 'Cflags:', ''].join('\n');
}

function description(version: string, words: string): readonly string[] {
  return [
    'Name: libkrun',
    `Description: ${words}`,
    'URL: https://github.com/containers/libkrun',
    `Version: ${version}`,
  ];
}
