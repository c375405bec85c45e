import { LAUNCHER } from '../binaries.ts';
import { OLDEST_NODE, type RootPackage } from './manifests.ts';
import { addonName, exportedNames, platformPackageName } from './names.ts';

/**
 * platform.cjs: the table of platform packages. Each name stands in a `require` of its own, in full, because that is
 * what bundlers and tracers can follow.
 */
export function platformTable(root: RootPackage): string {
  const entries = root.targets
    .toSorted((one, other) => (one.id < other.id ? -1 : 1))
    .map((target) => {
      const name = platformPackageName(root.name, target);
      return [
        `    '${target.id}': {`,
        `      package: '${name}',`,
        `      manifest: () => require.resolve('${name}/package.json'),`,
        `      launcher: () => require.resolve('${name}/bin/${LAUNCHER}'),`,
        '      libraries: () => [',
        `        require.resolve('${name}/lib/${target.libraryFile}'),`,
        `        require.resolve('${name}/lib/${target.firmwareFile}'),`,
        '      ],',
        `      addonFile: () => require.resolve('${name}/${addonName(target)}'),`,
        `      addon: () => require('${name}/${addonName(target)}'),`,
        '    },',
      ].join('\n');
    });
  return table(root, ['  platforms: {', ...entries, '  },']);
}

/** platform.cjs of a stub: no platform package is named, and none is looked for. */
export function stubTable(name: string, version: string): string {
  return table({ name, version }, ['  platforms: {},', "  stub: () => require('./stub.cjs'),"]);
}

function table({ name, version }: Pick<RootPackage, 'name' | 'version'>, lines: readonly string[]): string {
  return [
    "'use strict';",
    '',
    'module.exports = {',
    `  name: '${name}',`,
    `  version: '${version}',`,
    `  node: '${OLDEST_NODE}',`,
    ...lines,
    '};',
    '',
  ].join('\n');
}

/** libkrun.cjs and libkrun.js: the subpath `./raw`. A module's exports must be spelled out, so they are. */
export function rawModules(declarations: string): { readonly cjs: string; readonly esm: string } {
  const names = exportedNames(declarations).map((name) => `  ${name},`);
  return {
    cjs: "'use strict';\n\nmodule.exports = require('./index.cjs').raw;\n",
    esm: ["import library from './index.cjs';", '', 'export const {', ...names, '} = library.raw;', ''].join('\n'),
  };
}
