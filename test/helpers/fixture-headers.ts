import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toIr } from '../../pipeline/bindings/header.ts';
import type { HeaderIr } from '../../pipeline/bindings/ir.ts';
import { parseUnits } from './parse-units.ts';

/** Folder of the headers written for this project, one for each feature of C, with what is emitted for them. */
export const HEADER_FOLDER = new URL('../fixtures/headers/', import.meta.url).pathname;

/** Their names, without `.h`. */
export const HEADER_NAMES: readonly string[] = readdirSync(HEADER_FOLDER)
  .filter((name) => name.endsWith('.h'))
  .map((name) => name.slice(0, -2));

/** Text of the header `name`. */
export function readFixtureHeader(name: string): string {
  return readFileSync(join(HEADER_FOLDER, `${name}.h`), 'utf8');
}

/** The intermediate form of each header. */
export async function parseFixtureHeaders(): Promise<ReadonlyMap<string, HeaderIr>> {
  const sources = HEADER_NAMES.map((name) => [`${name}.h`, readFixtureHeader(name)] as const);
  const units = await parseUnits(Object.fromEntries(sources));
  return new Map(
    HEADER_NAMES.map((name) => {
      const unit = units.get(`${name}.h`);
      if (unit === undefined) throw new Error(`${name}.h was not parsed`);
      return [name, toIr(unit, [])];
    }),
  );
}
