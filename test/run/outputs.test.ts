import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Plan, PlannedStep, StepId } from '../../pipeline/plan/steps.ts';
import { runPlan } from '../../pipeline/run/engine.ts';
import { writeOutputs } from '../../pipeline/run/outputs.ts';
import type { RunStep } from '../../pipeline/steps/step.ts';
import { makeFolder, testConfig, testEnvironment } from '../helpers/session.ts';

let folder: ReturnType<typeof makeFolder>;
let out: string;
beforeEach(() => {
  folder = makeFolder('outputs');
  out = join(folder.path, 'project/build');
});
afterEach(() => folder.remove());

/** A step whose output is these files; an executable one ends in `*`. */
function files(content: Readonly<Record<string, string>>): RunStep {
  return async (context) => {
    for (const [name, text] of Object.entries(content)) {
      const path = join(context.out, name.replace('*', ''));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text, { mode: name.endsWith('*') ? 0o755 : 0o644 });
    }
    return { facts: {}, summary: '' };
  };
}

async function run(content: Partial<Record<StepId, Readonly<Record<string, string>>>>) {
  const steps = Object.keys(content) as StepId[];
  const inputs = (id: StepId) => [{ kind: 'value', name: 'content', value: JSON.stringify(content[id]) } as const];
  const plan: Plan = {
    schema: 1,
    tool: '1.2.3',
    target: 'linux-x64',
    targets: ['linux-x64'],
    outDir: out,
    steps: steps.map((id) => ({
      id,
      name: id,
      targets: ['linux-x64'],
      usableFor: 'linux-x64',
      title: id,
      needs: [],
      inputs: inputs(id),
      compiles: false,
      background: false,
    })),
    leftOut: [],
  };
  const runners = Object.fromEntries(steps.map((id) => [id, files(content[id] ?? {})]));
  const environment = await testEnvironment(testConfig(folder.path), runners);
  const [manifest] = await writeOutputs({ ...environment, plan }, await runPlan(plan, environment), environment.signal);
  return manifest;
}

it('puts prefix, packages, link metadata and manifest where people look for them', async () => {
  const prefix = { 'prefix/lib/libkrun.so.1': 'so', 'prefix/bin/krun-launcher*': 'exe', 'link.json': '{}' };
  const manifest = await run({ prefix, package: { 'npm/a-1.0.0.tgz': 'tgz' } });
  expect(readFileSync(join(out, 'linux-x64/prefix/lib/libkrun.so.1'), 'utf8')).toBe('so');
  expect(statSync(join(out, 'linux-x64/prefix/bin/krun-launcher')).mode & 0o777).toBe(0o755);
  expect(readFileSync(join(out, 'linux-x64/link.json'), 'utf8')).toBe('{}');
  expect(readdirSync(join(out, 'npm'))).toEqual(['a-1.0.0.tgz']);
  expect(JSON.parse(readFileSync(join(out, 'linux-x64/manifest.json'), 'utf8'))).toEqual(manifest);
  expect(manifest.steps.map(({ id, outcome }) => [id, outcome])).toEqual([
    ['prefix', 'built'],
    ['package', 'built'],
  ]);
});

it('writes a manifest for each target, with the steps that were done for it', async () => {
  const both = ['linux-x64', 'linux-arm64'] as const;
  const step = (id: StepId, name: PlannedStep['name'], targets: PlannedStep['targets']): PlannedStep => ({
    ...{ id, name, targets, usableFor: targets.join(','), title: id, needs: [], inputs: [] },
    ...{ compiles: false, background: false },
  });
  const steps = [
    step('source', 'source', []),
    ...both.map((target) => step('prefix', `prefix ${target}`, [target])),
    step('package', 'package', both),
  ];
  const plan: Plan = { schema: 1, tool: '1', target: '', targets: both, outDir: out, steps, leftOut: [] };
  const prefix: RunStep = (context) => files({ 'prefix/id': context.config.target.id })(context);
  const runners = { source: files({ a: 'a' }), prefix, package: files({ 'npm/a-1.tgz': 'a', 'npm/b-1.tgz': 'b' }) };
  const environment = await testEnvironment(testConfig(folder.path, { target: both.join(',') }), runners);
  const manifests = await writeOutputs({ ...environment, plan }, await runPlan(plan, environment), environment.signal);
  expect(manifests.map(({ target }) => target)).toEqual([...both]);
  for (const [index, target] of both.entries()) {
    expect(readFileSync(join(out, target, 'prefix/id'), 'utf8')).toBe(target);
    expect(JSON.parse(readFileSync(join(out, target, 'manifest.json'), 'utf8'))).toEqual(manifests[index]);
    expect(manifests[index]?.steps.map(({ id }) => id)).toEqual(['source', 'prefix', 'package']);
  }
  expect(readdirSync(join(out, 'npm')).sort()).toEqual(['a-1.tgz', 'b-1.tgz']);
});

it('leaves what did not change untouched', async () => {
  await run({ package: { 'npm/a-1.0.0.tgz': 'tgz' } });
  const before = statSync(join(out, 'npm/a-1.0.0.tgz'));
  await run({ package: { 'npm/a-1.0.0.tgz': 'tgz' } });
  expect(statSync(join(out, 'npm/a-1.0.0.tgz'))).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
});

it('takes away what an earlier run put there, and nothing else', async () => {
  mkdirSync(join(out, 'npm'), { recursive: true });
  writeFileSync(join(out, 'npm/mine.tgz'), 'a file of the user');
  await run({ package: { 'npm/a-1.0.0.tgz': 'tgz' } });
  await run({ package: { 'npm/a-2.0.0.tgz': 'tgz' } });
  expect(readdirSync(join(out, 'npm')).sort()).toEqual(['a-2.0.0.tgz', 'mine.tgz']);
});

it('makes a file good that was changed in the output folder', async () => {
  await run({ package: { 'npm/a-1.0.0.tgz': 'tgz' } });
  writeFileSync(join(out, 'npm/a-1.0.0.tgz'), 'broken');
  await run({ package: { 'npm/a-1.0.0.tgz': 'tgz' } });
  expect(readFileSync(join(out, 'npm/a-1.0.0.tgz'), 'utf8')).toBe('tgz');
});

it('writes no prefix for a run that made none', async () => {
  await run({ init: { init: 'elf' } });
  expect(existsSync(join(out, 'linux-x64/manifest.json'))).toBe(true);
  expect(existsSync(join(out, 'linux-x64/prefix'))).toBe(false);
});
