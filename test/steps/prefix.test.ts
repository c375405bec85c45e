import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { emitAbi } from '../../pipeline/bindings/abi.ts';
import { toIr } from '../../pipeline/bindings/header.ts';
import { BuildError } from '../../pipeline/plan/errors.ts';
import { parseLibkrunPins } from '../../pipeline/plan/pins.ts';
import { runPrefix } from '../../pipeline/steps/prefix.ts';
import type { StepContext } from '../../pipeline/steps/step.ts';
import { createCompiler } from '../binary/compile.ts';
import { rawFunction, rawUnit } from '../bindings/raw-unit.ts';
import { makeFolder, REPOSITORY, testConfig } from '../helpers/session.ts';

const compiler = createCompiler();
afterAll(() => compiler.remove());
const pins = parseLibkrunPins(readFileSync(join(REPOSITORY, 'vendor/libkrun.json'), 'utf8'), 'libkrun.json');

let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder('prefix');
});
afterEach(() => folder.remove());

function write(path: string, content: string | Buffer): void {
  const file = join(folder.path, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** A lock for two targets, of which only the other one declares `krun_hvf`. */
function lock(...names: readonly string[]): string {
  const functions = names.map((name) => rawFunction(name, {}));
  const mac = rawUnit([...functions, rawFunction('krun_hvf', {})], { target: 'darwin-arm64' });
  return emitAbi([toIr(rawUnit(functions), []), toIr(mac, [])]).content;
}

/** Runs the step with a library that exports `exported`. */
function run(declared: readonly string[], exported: readonly string[]) {
  const source = exported.map((name) => `int ${name}(void) { return 0; }\n`).join('');
  write('libkrun/lib/libkrun.so.1', compiler.compile(source, ['-shared', '-nostdlib']));
  write('firmware/lib/libkrunfw.so.5', 'kernel');
  write('source/include/libkrun.h', '');
  write('launcher/bin/krun-launcher', '');
  write('bindings/committed/abi.json', lock(...declared));
  mkdirSync(join(folder.path, 'out'));
  const context = {
    config: testConfig(folder.path),
    pins: { libkrun: pins },
    out: join(folder.path, 'out'),
    need: (step: string) => ({ dir: join(folder.path, step), facts: {} }),
  };
  return runPrefix(context as unknown as StepContext);
}

it('says what is declared but not exported, and exported but not declared, for its own target', async () => {
  const declared = ['krun_go', 'krun_set_tee_config_file'];
  const { facts, summary } = await run(declared, ['krun_go', 'bz_internal_error']);
  expect(facts).toMatchObject({
    functions: 1,
    exports: { declaredNotExported: ['krun_set_tee_config_file'], exportedNotDeclared: ['bz_internal_error'] },
  });
  expect(summary).toBe(
    '1 functions exported, 1 headers; declared but not exported: krun_set_tee_config_file; exported but not declared: bz_internal_error',
  );
});

it.each([
  ['lacks a function that was not reviewed as missing', ['krun_go', 'krun_stop'], ['krun_go'], 'krun_stop'],
  ['exports what was not reviewed', ['krun_go'], ['krun_go', 'other'], 'other'],
])('refuses a library that %s', async (_what, declared, exported, name) => {
  const error = await run(declared, exported).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BuildError);
  expect(error).toMatchObject({ code: 'A3S1205', message: expect.stringContaining(name) });
});
