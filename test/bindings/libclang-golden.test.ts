import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emitAbi } from '../../pipeline/bindings/abi.ts';
import { emitSys } from '../../pipeline/bindings/emit-sys.ts';
import { toIr } from '../../pipeline/bindings/header.ts';
import { parseHeaders } from '../../pipeline/bindings/libclang/embedded.ts';
import type { Override } from '../../pipeline/bindings/overrides.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { bundleWorker } from '../helpers/bundle-worker.ts';

const FIXTURES = new URL('../fixtures/bindings/', import.meta.url).pathname;

const HEADERS: readonly { readonly name: string; readonly overrides: readonly Override[] }[] = [
  { name: 'values', overrides: [] },
  { name: 'functions', overrides: [] },
  { name: 'records', overrides: [] },
];

async function parse(name: string, overrides: readonly Override[]) {
  const content = readFileSync(join(FIXTURES, `${name}.h`), 'utf8');
  const workerPath = await bundleWorker();
  const headers = [{ name: `${name}.h`, content }];
  return toIr(await parseHeaders({ headers, target: TARGETS['linux-x64'], workerPath }), overrides);
}

describe.each(HEADERS)('the header $name.h', ({ name, overrides }) => {
  it('gives exactly the committed Rust, lock and list of what was left out', async () => {
    const ir = await parse(name, overrides);
    await expect(emitSys(ir, { docs: false }).content).toMatchFileSnapshot(`${FIXTURES}${name}.sys.rs`);
    await expect(emitSys(ir, { docs: true }).content).toMatchFileSnapshot(`${FIXTURES}${name}.docs.sys.rs`);
    await expect(emitAbi([ir]).content).toMatchFileSnapshot(`${FIXTURES}${name}.abi.json`);
    const skipped = ir.skipped.map(
      ({ name: item, place, reason }) => `${place.file}:${place.line} ${item}: ${reason}\n`,
    );
    await expect(skipped.join('')).toMatchFileSnapshot(`${FIXTURES}${name}.skipped.txt`);
  });

  it.each(['sys.rs', 'docs.sys.rs'])('gives Rust that compiles without a warning and is formatted: %s', (suffix) => {
    const file = join(FIXTURES, `${name}.${suffix}`);
    const out = mkdtempSync(join(tmpdir(), 'a3s-sys-'));
    try {
      const crate = ['--edition', '2021', '--crate-name', 'sys', '--crate-type', 'lib', '-D', 'warnings'];
      execFileSync('rustc', [...crate, '--emit=metadata', '--out-dir', out, file], { stdio: 'pipe' });
      const format = ['--check', '--edition', '2021', '--config', 'max_width=120', file];
      expect(execFileSync('rustfmt', format, { stdio: 'pipe' }).toString()).toBe('');
    } finally {
      rmSync(out, { recursive: true });
    }
  });
});
