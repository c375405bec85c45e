import * as z from 'zod/mini';
import { parseDocument } from './document.ts';
import { exactVersion, packageName } from './fields.ts';

const configFile = z.strictObject({
  $schema: z.optional(z.string()),
  /** The npm packages to make. Platform packages take the name plus a suffix such as `-linux-x64-gnu`. */
  package: z.optional(z.strictObject({ name: z.optional(packageName), version: z.optional(exactVersion) })),
  /** Provider of the guest kernel. */
  firmware: z.optional(z.enum(['npm', 'github'])),
  /** Folder of libkrun's source, relative to the configuration file. */
  libkrunDir: z.optional(z.string().check(z.minLength(1))),
  /** Output folder, relative to the configuration file. */
  out: z.optional(z.string().check(z.minLength(1))),
  /** Jobs at a time, over all compilers. */
  jobs: z.optional(z.int().check(z.minimum(1), z.maximum(1024))),
});

/** What a project may set in `a3s-build.config.json`; every field is optional. */
export type ConfigFile = z.infer<typeof configFile>;

/**
 * @param field Name of the field that holds the configuration in somebody else's file.
 * @throws BuildError A3S1101 with line and column.
 */
export function parseConfigFile(text: string, file: string, field?: string): ConfigFile {
  return parseDocument(text, file, configFile, 'A3S1101', field);
}
