import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { generateTypeDef } from '@napi-rs/cli';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emitNapi } from '../../pipeline/bindings/emit-napi.ts';
import { emitSys } from '../../pipeline/bindings/emit-sys.ts';
import { compareDeclarations } from '../bindings/compare-declarations.ts';

// Compiles the addon's dependencies: needs cargo and, the first time, the crates registry.
const { A3S_TEST_CARGO: enabled = '' } = process.env;
const root = fileURLToPath(new URL('../..', import.meta.url));
const napi = join(root, 'test/fixtures/napi');
const run = promisify(execFile);

describe.skipIf(enabled === '')('declarations derived from the emitted Rust', { timeout: 300_000 }, () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'a3s-derived-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** What the napi tool says of the crate in `crate`, whose lock file must be good as it is. */
  async function derive(crate: string, name: string): Promise<string> {
    const typeDefDir = join(folder, `${name}-types`);
    await mkdir(typeDefDir);
    const env = { ...process.env, NAPI_TYPE_DEF_TMP_FOLDER: typeDefDir };
    const target = ['--target-dir', join(folder, 'target')];
    await run('cargo', ['check', '--locked', '--features', 'type-def', ...target], { cwd: crate, env });
    return (await generateTypeDef({ typeDefDir, cwd: folder, noDtsHeader: true })).dts;
  }

  it('agree with the committed libkrun.d.ts, function by function', async () => {
    const crate = join(folder, 'generated/napi');
    await cp(join(root, 'generated/napi'), crate, { recursive: true });
    await cp(join(root, 'generated/sys.rs'), join(folder, 'generated/sys.rs'));
    await cp(join(root, 'native'), join(folder, 'native'), { recursive: true });
    const derived = await derive(crate, 'committed');
    const ours = await readFile(join(root, 'generated/libkrun.d.ts'), 'utf8');
    expect(derived).toContain('krunCreateCtx');
    expect(compareDeclarations(ours, derived)).toEqual({ differ: [], errors: [] });
  });

  it('equal the golden file that the quick tests compare with', async () => {
    const ir = JSON.parse(await readFile(join(napi, 'sample.ir.json'), 'utf8'));
    const lock = await readFile(join(root, 'native/Cargo.lock'), 'utf8');
    const { files } = emitNapi(ir, { docs: true, runtimePath: join(root, 'native/node'), lock });
    for (const { path, content } of [emitSys(ir, { docs: true }), ...files]) {
      const file = join(folder, 'sample', path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    const derived = await derive(join(folder, 'sample/napi'), 'sample');
    const origin = '// Derived by the napi tool from the Rust source emitted for sample.ir.json.\n';
    await expect(`${origin}${derived}`).toMatchFileSnapshot(join(napi, 'derived.d.ts'));
  });
});
