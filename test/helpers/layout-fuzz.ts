import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emitSys } from '../../pipeline/bindings/emit-sys.ts';
import { toIr } from '../../pipeline/bindings/header.ts';
import type { HeaderIr } from '../../pipeline/bindings/ir.ts';
import { disagreements } from './c-facts.ts';
import { compileAsOneCrate } from './compile-rust.ts';
import { parseUnits } from './parse-units.ts';
import { randomHeader } from './random-declarations.ts';

/** What a run of random declarations found. */
export interface FuzzReport {
  /** What the IR says and cc does not. */
  readonly wrong: readonly string[];
  readonly records: number;
  /** Records of which only size and alignment are known. */
  readonly withoutMembers: readonly string[];
  readonly constants: number;
}

/**
 * Compares layouts and values of random declarations with what cc prints, and lets rustc check the emitted layouts.
 * @throws Error with rustc's messages.
 */
export async function fuzzLayouts(seed: number, files: number, declarations: number): Promise<FuzzReport> {
  const headers: Record<string, string> = {};
  for (let file = 0; file < files; file += 1)
    headers[`fuzz_${file}.h`] = randomHeader(seed * 1_000 + file, declarations);
  const units = await parseUnits(headers);
  const irs = [...units].map(([name, unit]) => [headers[name] ?? '', toIr(unit, [])] as const);
  compile(irs.map(([, ir]) => ir));
  const items = irs.flatMap(([, ir]) => ir.items);
  const records = items.filter((item) => item.kind === 'record');
  return {
    wrong: irs.flatMap(([header, ir]) => disagreements(ir, header)),
    records: records.length,
    withoutMembers: records.filter(({ fields }) => fields.length === 0).map(({ name }) => name),
    constants: items.filter(({ kind }) => kind === 'constant').length,
  };
}

function compile(irs: readonly HeaderIr[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'a3s-fuzz-'));
  try {
    const files = irs.map((ir, index) => {
      const file = join(folder, `sys_${index}.rs`);
      writeFileSync(file, emitSys(ir, { docs: false }).content);
      return file;
    });
    compileAsOneCrate(files);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
