import { LIBKRUN_OVERRIDES } from '../../pipeline/bindings/overrides.ts';

/** C types that an override of the role fits. */
const TYPES: Readonly<Record<string, (name: string) => string>> = {
  string: (name) => `char *${name}`,
  'string-array': (name) => `const char *const ${name}[]`,
  'fixed-bytes': (name) => `uint8_t *const ${name}`,
};

/** Text of a libkrun.h that declares the functions of the override table and nothing else. */
export function overriddenHeader(): string {
  const functions = LIBKRUN_OVERRIDES.map(({ function: name, parameters = {} }) => {
    const list = Object.entries(parameters).map(([parameter, { role }]) => {
      const write = TYPES[role?.kind ?? ''];
      if (write === undefined) throw new Error(`${name}: no C type for the role ${role?.kind}`);
      return write(parameter);
    });
    const comment =
      '/**\n * Does what it is called after.\n *\n * Returns:\n *  Zero on success or a negative error number on failure.\n */\n';
    return `${comment}int32_t ${name}(${['uint32_t ctx_id', ...list].join(', ')});\n`;
  });
  return `#include <stdint.h>\n${functions.join('\n')}`;
}
