import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildError } from '../../pipeline/plan/errors.ts';
import type { InputSpec, Plan, PlannedStep, StepId } from '../../pipeline/plan/steps.ts';
import { runPlan, type StepOutcome } from '../../pipeline/run/engine.ts';
import type { RunStep } from '../../pipeline/steps/step.ts';
import { makeFolder, testConfig, testEnvironment } from '../helpers/session.ts';

let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder('engine');
});
afterEach(() => folder.remove());

const value = (name: string, content: string): InputSpec => ({ kind: 'value', name, value: content });

function plan(...steps: (Pick<PlannedStep, 'id'> & Partial<PlannedStep>)[]): Plan {
  const full = steps.map((step) => ({
    name: step.id,
    targets: ['linux-x64' as const],
    usableFor: 'linux-x64',
    title: step.id,
    needs: [],
    inputs: [],
    compiles: false,
    background: false,
    ...step,
  }));
  return {
    schema: 1,
    tool: '1.2.3',
    target: 'linux-x64',
    targets: ['linux-x64'],
    outDir: folder.path,
    steps: full,
    leftOut: [],
  };
}

/** A step that writes one file and counts its runs. */
function writer(content: string): RunStep & { runs: number } {
  const run = Object.assign(
    async ({ out }: { out: string }) => {
      run.runs += 1;
      await writeFile(join(out, 'file'), content);
      return { facts: {}, summary: content };
    },
    { runs: 0 },
  );
  return run;
}

async function run(thePlan: Plan, runners: Partial<Record<StepId, RunStep>>, flags = {}) {
  const environment = await testEnvironment(testConfig(folder.path, flags), runners);
  const outcomes = await runPlan(thePlan, environment);
  await environment.lastRun.save(Object.fromEntries([...outcomes].map(([id, { manifest }]) => [id, manifest.key])));
  return { outcomes, environment, get: (id: StepId): StepOutcome => outcomes.get(id) as StepOutcome };
}

function leftovers(): string[] {
  return readdirSync(join(folder.path, 'store/v1/tmp'));
}

describe('reuse', () => {
  it('takes a result from the store when no input changed', async () => {
    const step = writer('a');
    await run(plan({ id: 'source' }), { source: step });
    const second = await run(plan({ id: 'source' }), { source: step });
    expect(step.runs).toBe(1);
    expect(second.get('source')).toMatchObject({ outcome: 'reused', why: 'unchanged', summary: 'a' });
  });

  it('names the setting that changed, with both values', async () => {
    const step = writer('a');
    await run(plan({ id: 'source', inputs: [value('features', 'net')] }), { source: step });
    const second = await run(plan({ id: 'source', inputs: [value('features', 'net,blk')] }), { source: step });
    expect(second.get('source')).toMatchObject({ outcome: 'built', why: 'features changed from net to net,blk' });
  });

  it('names the file that changed', async () => {
    const file = join(folder.path, 'lib.rs');
    const inputs: InputSpec[] = [{ kind: 'file', name: 'lib.rs', path: file }];
    writeFileSync(file, 'one');
    await run(plan({ id: 'source', inputs }), { source: writer('a') });
    writeFileSync(file, 'two');
    const second = await run(plan({ id: 'source', inputs }), { source: writer('a') });
    expect(second.get('source').why).toBe('lib.rs changed');
  });

  it('does not run what depends on a step that came out equal', async () => {
    const libkrun = writer('library');
    const needs: PlannedStep = {
      ...plan({ id: 'libkrun' }).steps[0],
      needs: ['init'],
      inputs: [{ kind: 'step', name: 'init', step: 'init' }],
    } as PlannedStep;
    await run(plan({ id: 'init', inputs: [value('source', '1')] }, needs), { init: writer('elf'), libkrun });
    const second = await run(plan({ id: 'init', inputs: [value('source', '2')] }, needs), {
      init: writer('elf'),
      libkrun,
    });
    expect(second.get('init').outcome).toBe('built');
    expect(second.get('libkrun').outcome).toBe('reused');
    expect(libkrun.runs).toBe(1);
  });

  it('makes a damaged result again', async () => {
    const first = await run(plan({ id: 'source' }), { source: writer('content') });
    const { key } = first.get('source').manifest;
    truncateSync(join(first.environment.store.resultDir('source', key), 'file'), 3);
    const second = await run(plan({ id: 'source' }), { source: writer('content') });
    expect(second.get('source')).toMatchObject({ outcome: 'built', why: 'result was deleted or damaged' });
    expect(readFileSync(join(second.environment.store.resultDir('source', key), 'file'), 'utf8')).toBe('content');
  });

  it('runs everything when forced', async () => {
    const step = writer('a');
    await run(plan({ id: 'source' }), { source: step });
    const second = await run(plan({ id: 'source' }), { source: step }, { force: true });
    expect(second.get('source')).toMatchObject({ outcome: 'built', why: 'forced' });
    expect(step.runs).toBe(2);
  });
});

describe('order', () => {
  it('starts a step after what it needs, and hands over its folder and facts', async () => {
    const bindings: RunStep = async (context) => {
      const needed = context.need('source');
      expect(readFileSync(join(needed.dir, 'file'), 'utf8')).toBe('tree');
      return { facts: { from: needed.facts['summary'] ?? null }, summary: 'done' };
    };
    const result = await run(plan({ id: 'source' }, { id: 'bindings', needs: ['source'] }), {
      source: writer('tree'),
      bindings,
    });
    expect(result.get('bindings').manifest.facts['from']).toBe('tree');
  });

  it('runs steps that do not depend on each other at the same time', async () => {
    let waiting = 0;
    const both = makeResolvers();
    const meets: RunStep = async () => {
      waiting += 1;
      if (waiting === 2) both.resolve(undefined);
      await both.promise;
      return { facts: {}, summary: '' };
    };
    await run(plan({ id: 'source' }, { id: 'firmware' }), { source: meets, firmware: meets });
    expect(waiting).toBe(2);
  });

  it('runs background steps one after another', async () => {
    let running = 0;
    let most = 0;
    const counted: RunStep = async () => {
      running += 1;
      most = Math.max(most, running);
      await sleep(20);
      running -= 1;
      return { facts: {}, summary: '' };
    };
    const background = true;
    await run(plan({ id: 'addon', background }, { id: 'launcher', background }), { addon: counted, launcher: counted });
    expect(most).toBe(1);
  });

  it('gives all jobs to the step that everybody waits for, and one more to the background', async () => {
    const jobs: Partial<Record<StepId, number>> = {};
    const noted =
      (id: StepId): RunStep =>
      async (context) => {
        jobs[id] = context.jobs;
        return { facts: {}, summary: '' };
      };
    const compiles = true;
    const background = true;
    const runners = { launcher: noted('launcher'), libkrun: noted('libkrun'), addon: noted('addon') };
    const steps = [
      { id: 'launcher', compiles, background },
      { id: 'libkrun', compiles },
      { id: 'addon', compiles, background, needs: ['libkrun'] },
    ] as const;
    await run(plan(...steps), runners, { jobs: 8 });
    expect(jobs).toEqual({ launcher: 1, libkrun: 8, addon: 8 });
  });

  it('lets two runs at once do the work once', async () => {
    const step = writer('a');
    const slow: RunStep = async (context) => {
      await sleep(100);
      return step(context);
    };
    const results = await Promise.all([1, 2].map(() => run(plan({ id: 'source' }), { source: slow })));
    expect(step.runs).toBe(1);
    expect(results.map((result) => result.get('source').outcome).sort()).toEqual(['built', 'reused']);
  });
});

describe('several targets', () => {
  const both = ['linux-x64', 'linux-arm64'] as const;
  const steps = [
    { id: 'source', targets: [], usableFor: 'any' },
    ...both.map((target) => ({
      id: 'libkrun' as const,
      name: `libkrun ${target}` as const,
      targets: [target],
      usableFor: target,
      needs: ['source' as const],
      compiles: true,
    })),
    { id: 'package', targets: both, usableFor: both.join(','), needs: ['libkrun linux-x64', 'libkrun linux-arm64'] },
  ] satisfies Parameters<typeof plan>;
  const target = { target: both.join(',') };

  it('share what is done once, and each get their own of the rest', async () => {
    const source = writer('tree');
    const libkrun: RunStep = async ({ config, out, need }) => {
      await writeFile(join(out, 'file'), config.target.id + readFileSync(join(need('source').dir, 'file'), 'utf8'));
      return { facts: {}, summary: '' };
    };
    const packed: string[] = [];
    const pack: RunStep = async (context) => {
      for (const one of context.eachTarget()) {
        packed.push(`${one.config.target.id}: ${readFileSync(join(one.need('libkrun').dir, 'file'), 'utf8')}`);
      }
      return { facts: {}, summary: '' };
    };
    const { outcomes, environment } = await run(plan(...steps), { source, libkrun, package: pack }, target);
    expect([...outcomes.keys()]).toEqual(['source', 'libkrun linux-x64', 'libkrun linux-arm64', 'package']);
    expect(source.runs).toBe(1);
    expect(packed).toEqual(['linux-x64: linux-x64tree', 'linux-arm64: linux-arm64tree']);
    expect(new Set(environment.events.map(({ step }) => step))).toEqual(new Set(outcomes.keys()));
  });

  it('take turns with the compilers', async () => {
    let running = 0;
    let most = 0;
    const libkrun: RunStep = async ({ jobs }) => {
      running += 1;
      most = Math.max(most, running);
      await sleep(20);
      running -= 1;
      return { facts: { jobs }, summary: '' };
    };
    const { outcomes } = await run(plan(...steps), { source: writer('a'), libkrun, package: writer('b') }, target);
    expect(most).toBe(1);
    expect(outcomes.get('libkrun linux-arm64')?.manifest.facts['jobs']).toBe(2);
  });

  it('use what was made for one of them alone', async () => {
    const libkrun = writer('so');
    await run(plan(...steps.slice(0, 2)), { source: writer('a'), libkrun });
    await run(plan(...steps), { source: writer('a'), libkrun, package: writer('b') }, target);
    expect(libkrun.runs).toBe(2);
  });
});

describe('failure', () => {
  const failing: RunStep = async ({ out }) => {
    await writeFile(join(out, 'half'), '');
    throw buildError('A3S1203', { message: 'refused' });
  };

  it('reports the first failure, ends the other steps and publishes nothing', async () => {
    let aborted = false;
    const waits: RunStep = ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(signal.reason);
        });
      });
    const environment = await testEnvironment(testConfig(folder.path), { source: failing, firmware: waits });
    const failed = runPlan(plan({ id: 'source' }, { id: 'firmware' }), environment);
    await expect(failed).rejects.toMatchObject({ code: 'A3S1203' });
    expect(aborted).toBe(true);
    expect(environment.events.filter((event) => event.kind === 'failed').map((event) => event.step)).toEqual([
      'source',
    ]);
    expect(existsSync(join(folder.path, 'store/v1/results'))).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it('succeeds on the next run without any clean-up', async () => {
    await expect(run(plan({ id: 'source' }), { source: failing })).rejects.toMatchObject({ code: 'A3S1203' });
    const second = await run(plan({ id: 'source' }), { source: writer('a') });
    expect(second.get('source').outcome).toBe('built');
  });

  it('does not start what depends on a failed step', async () => {
    const after = writer('b');
    const broken = run(plan({ id: 'source' }, { id: 'bindings', needs: ['source'] }), {
      source: failing,
      bindings: after,
    });
    await expect(broken).rejects.toMatchObject({ code: 'A3S1203' });
    expect(after.runs).toBe(0);
  });

  it('checks the tools once, before the first step is built, and not at all when nothing is', async () => {
    let checks = 0;
    const environment = await testEnvironment(
      testConfig(folder.path),
      { source: writer('a'), firmware: writer('b') },
      {
        beforeBuilding: async () => {
          checks += 1;
          throw buildError('A3S1201', { message: 'missing: cc' });
        },
      },
    );
    await expect(runPlan(plan({ id: 'source' }), environment)).rejects.toMatchObject({ code: 'A3S1201' });
    await run(plan({ id: 'source' }), { source: writer('a') });
    expect((await runPlan(plan({ id: 'source' }), environment)).get('source')?.outcome).toBe('reused');
    expect(checks).toBe(1);
  });

  it('ends with the reason of an abort and leaves no temporary folder', async () => {
    const stop = new AbortController();
    const waits: RunStep = async ({ signal }) => {
      stop.abort(new Error('ended by SIGINT'));
      signal.throwIfAborted();
      return { facts: {}, summary: '' };
    };
    const environment = await testEnvironment(testConfig(folder.path), { source: waits }, { signal: stop.signal });
    await expect(runPlan(plan({ id: 'source' }), environment)).rejects.toThrow('ended by SIGINT');
    expect(leftovers()).toEqual([]);
    expect(environment.events.some((event) => event.kind === 'failed')).toBe(false);
  });
});

function makeResolvers() {
  let resolve = (_value: unknown): void => {};
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
