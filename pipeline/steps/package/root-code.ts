import { LAUNCHER } from '../launcher.ts';
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
        `      addon: () => require('${name}/${addonName(target)}'),`,
        '    },',
      ].join('\n');
    });
  return [
    "'use strict';",
    '',
    'module.exports = {',
    `  name: '${root.name}',`,
    `  version: '${root.version}',`,
    `  node: '${OLDEST_NODE}',`,
    '  platforms: {',
    ...entries,
    '  },',
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
