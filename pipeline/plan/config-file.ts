import * as z from 'zod/mini';
import { parseDocument, placesOf } from './document.ts';
import type { FailurePlace } from './errors.ts';
import { exactVersion, packageName, patternText } from './fields.ts';

const cName = patternText(/^[A-Za-z_$][\w$]{0,254}$/, 'expected a name of C');

/** What a parameter is for; the roles of `bindings/overrides.ts`. */
const role = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('value') }),
  z.strictObject({ kind: z.literal('string') }),
  z.strictObject({ kind: z.literal('string-array') }),
  z.strictObject({ kind: z.literal('fixed-bytes'), length: z.int().check(z.minimum(1), z.maximum(65_536)) }),
  z.strictObject({ kind: z.literal('buffer'), lengthIn: cName }),
  z.strictObject({ kind: z.literal('out') }),
  z.strictObject({ kind: z.literal('out-bytes'), lengthIn: cName }),
  z.strictObject({ kind: z.literal('retained') }),
  z.strictObject({ kind: z.literal('record'), lengthIn: cName }),
]);

const override = z.strictObject({
  function: cName,
  returns: z.optional(z.enum(['status', 'value', 'boolean', 'never', 'plain'])),
  parameters: z.optional(
    z.record(cName, z.strictObject({ role: z.optional(role), nullable: z.optional(z.boolean()) })),
  ),
  /** What the implementation does; whoever reviews the entry checks it against that. */
  reason: z.string().check(z.regex(/\S/, 'expected what the implementation does')),
});

const overrides = z.array(override).check(({ value, issues }) => {
  const seen = new Set<string>();
  for (const [index, { function: name }] of value.entries()) {
    if (seen.has(name)) {
      issues.push({ code: 'custom', input: name, path: [index, 'function'], message: `${name} has an entry already` });
    }
    seen.add(name);
  }
});

const command = patternText(/^[^\0\n]*\S[^\0\n]*$/, 'expected the name or path of a program');

const configFile = z.strictObject({
  $schema: z.optional(z.string()),
  /** The npm packages to make. Platform packages take the name plus a suffix such as `-linux-x64-gnu`. */
  package: z.optional(
    z.strictObject({
      name: z.optional(packageName),
      version: z.optional(exactVersion),
      /** Where the packages' repository is; npm refuses a proof of where they were built without it. */
      repository: z.optional(z.url({ protocol: /^https$/ })),
    }),
  ),
  /** Provider of the guest kernel. */
  firmware: z.optional(z.enum(['npm', 'github'])),
  /** Folder of libkrun's source, relative to the configuration file. */
  libkrunDir: z.optional(z.string().check(z.minLength(1))),
  /** What links: `zig` for every target, or a command (or `zig`) by target. */
  linker: z.optional(
    z.union([
      z.literal('zig'),
      z.strictObject({
        'linux-x64': z.optional(command),
        'linux-arm64': z.optional(command),
        'darwin-arm64': z.optional(command),
      }),
    ]),
  ),
  /** Release of glibc to link for, by zig. */
  glibc: z.optional(patternText(/^2\.\d{2}$/, 'expected a release of glibc, such as "2.28"')),
  /** Address of a Debian mirror, for the sysroot that clang needs. */
  debianMirror: z.optional(z.url({ protocol: /^https?$/ })),
  /** Output folder, relative to the configuration file. */
  out: z.optional(z.string().check(z.minLength(1))),
  /** Jobs at a time, over all compilers. */
  jobs: z.optional(z.int().check(z.minimum(1), z.maximum(1024))),
  bindings: z.optional(
    z.strictObject({
      /** Further headers to bind, inside the project; relative to the configuration file. */
      headers: z.optional(z.array(patternText(/^[^\0]+\.h$/, 'expected the path of a .h file'))),
      /** What the headers do not say of their functions. */
      overrides: z.optional(overrides),
    }),
  ),
});

/** An entry of `bindings.overrides`. */
export type ConfigOverride = z.infer<typeof override>;

/** What a project may set in `a3s-build.config.json`; every field is optional. */
export interface ConfigFile extends z.infer<typeof configFile> {
  /** Where each entry of `bindings.overrides` stands. */
  readonly overridePlaces?: readonly FailurePlace[];
}

/**
 * @param field Name of the field that holds the configuration in somebody else's file.
 * @throws BuildError A3S1101 with line and column.
 */
export function parseConfigFile(text: string, file: string, field?: string): ConfigFile {
  const config = parseDocument(text, file, configFile, 'A3S1101', field);
  const path = [...(field === undefined ? [] : [field]), 'bindings', 'overrides'];
  const count = config.bindings?.overrides?.length ?? 0;
  return count === 0 ? config : { ...config, overridePlaces: placesOf(text, file, path, count) };
}
