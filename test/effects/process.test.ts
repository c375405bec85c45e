import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { type ProcessRequest, runProcess } from '../../pipeline/effects/process.ts';
import { signalAllGroups } from '../../pipeline/effects/process-groups.ts';
import { isAlive } from '../helpers/alive.ts';
import { makeFolder } from '../helpers/session.ts';
import { PRIVILEGED, withSmallDisk } from '../helpers/small-disk.ts';
import { failureOf } from './failure.ts';

const folder = makeFolder('process');
afterAll(folder.remove);

function script(text: string, extra: Partial<ProcessRequest> = {}): ProcessRequest {
  return { command: '/bin/sh', args: ['-c', text], cwd: folder.path, env: { PATH: '/usr/bin:/bin' }, ...extra };
}

/** Waits until the process is gone, for a second at most. */
async function isGone(pid: number): Promise<boolean> {
  for (let waited = 0; waited < 1000; waited += 20) {
    if (!isAlive(pid)) return true;
    await sleep(20);
  }
  return false;
}

function pidsIn(lines: readonly string[]): number[] {
  return lines.flatMap((line) => (/^pid (\d+)$/.exec(line)?.[1] ?? '').split(' ').filter(Boolean).map(Number));
}

describe('results', () => {
  it('gives exit code, standard output, last lines and lines as they come', async () => {
    const lines: string[] = [];
    const text = 'echo out; sleep 0.05; echo err >&2; sleep 0.05; printf "one\\rtwo\\rthree"; exit 3';
    const result = await runProcess(script(text, { onLine: (line) => lines.push(line) }));
    expect(result).toEqual({
      code: 3,
      signal: null,
      stdout: 'out\none\rtwo\rthree',
      tail: ['out', 'err', 'one', 'two', 'three'],
    });
    expect(lines).toEqual(result.tail);
  });

  it('keeps the last sixty lines, and all of them in the log', async () => {
    const log = join(folder.path, 'logs/deep/many.log');
    const { tail } = await runProcess(script('seq 1000', { log }));
    expect(tail).toEqual(Array.from({ length: 60 }, (_, index) => String(941 + index)));
    expect(readFileSync(log, 'utf8').trim().split('\n')).toHaveLength(1000);
    await runProcess(script('echo more', { log }));
    expect(readFileSync(log, 'utf8')).toMatch(/1000\nmore\n$/);
  });

  it('passes nothing of our own environment on', async () => {
    const { stdout } = await runProcess({ ...script(''), command: '/usr/bin/env', args: [], env: { ONLY: 'this' } });
    expect(stdout).toBe('ONLY=this\n');
  });

  it('hands input over, and does not mind a child that never reads it', async () => {
    expect((await runProcess(script('cat', { input: 'text' }))).stdout).toBe('text');
    expect((await runProcess(script('exec true', { input: 'x'.repeat(1_000_000) }))).code).toBe(0);
  });

  it('tells the signal that ended a child', async () => {
    expect(await runProcess(script('kill -9 $$'))).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  it('decodes characters that are split over two writes', async () => {
    expect((await runProcess(script("printf '\\303'; sleep 0.1; printf '\\251t\\303\\251'"))).tail).toEqual(['été']);
  });

  it('names a program that is not there, or not a program', async () => {
    const missing = { ...script(''), command: 'no-such-program', args: [] };
    const { code, exit, message } = await failureOf(() => runProcess(missing));
    expect({ code, exit }).toEqual({ code: 'A3S1201', exit: 72 });
    expect(message).toContain('no-such-program');
    expect((await failureOf(() => runProcess({ ...missing, command: folder.path }))).code).toBe('A3S1201');
  });
});

describe('floods', () => {
  it('passes one line of 50 MB in bounded memory, and all of it to the log', async () => {
    const log = join(folder.path, 'flood.log');
    const lines: string[] = [];
    const began = process.memoryUsage.rss();
    let peak = began;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 5);
    const text = 'head -c 52428800 /dev/zero | tr "\\0" x; echo; echo last';
    const result = await runProcess(script(text, { log, onLine: (line) => lines.push(line) }));
    clearInterval(timer);
    expect(statSync(log).size).toBe(52_428_800 + 6);
    expect(lines.map((line) => line.length)).toEqual([8192, 4]);
    expect(result.stdout.length).toBe(8 * 1024 * 1024);
    expect(peak - began).toBeLessThan(64 * 1024 * 1024);
  });

  it('loses nothing of what a child printed just before it ended', async () => {
    const log = join(folder.path, 'burst.log');
    await runProcess(script('seq 300000 & seq 300000 >&2; wait; seq 300000', { log }));
    expect(readFileSync(log, 'utf8').match(/\n/g)).toHaveLength(900_000);
  });

  it.runIf(PRIVILEGED)('ends the child and says so when the disk of the log is full', async () => {
    await withSmallDisk('size=64k', async (disk) => {
      const log = join(disk, 'full.log');
      const began = Date.now();
      expect((await failureOf(() => runProcess(script('yes', { log })))).code).toBe('A3S5001');
      expect(Date.now() - began).toBeLessThan(3000);
    });
  });

  it('reports a log that cannot be opened', async () => {
    mkdirSync(join(folder.path, 'folder.log'));
    expect((await failureOf(() => runProcess(script('true', { log: join(folder.path, 'folder.log') })))).code).toBe(
      'A3S5002',
    );
  });
});

describe('ends', () => {
  it('kills a child that ignores SIGTERM after the grace, and all of its group', async () => {
    const stop = new AbortController();
    const pids: number[] = [];
    const onLine = (line: string): void => {
      pids.push(...pidsIn([line]));
      if (pids.length === 2) stop.abort(new Error('stop'));
    };
    const text =
      'trap "" TERM; sh -c \'trap "" TERM; echo pid $$; while :; do sleep 1; done\' & echo pid $$; while :; do sleep 1; done';
    const began = Date.now();
    await expect(runProcess(script(text, { onLine, signal: stop.signal }))).rejects.toThrow('stop');
    expect(Date.now() - began).toBeGreaterThan(1400);
    expect(Date.now() - began).toBeLessThan(4000);
    expect(pids).toHaveLength(2);
    for (const pid of pids) expect(await isGone(pid)).toBe(true);
  });

  it('ends a whole group at once when it obeys', async () => {
    const stop = new AbortController();
    const pids: number[] = [];
    const onLine = (line: string): void => {
      pids.push(...pidsIn([line]));
      if (pids.length === 3) stop.abort(new Error('stop'));
    };
    const text = 'sleep 60 & echo pid $!; sleep 60 & echo pid $!; echo pid $$; wait';
    const began = Date.now();
    await expect(runProcess(script(text, { onLine, signal: stop.signal }))).rejects.toThrow('stop');
    expect(Date.now() - began).toBeLessThan(1400);
    for (const pid of pids) expect(await isGone(pid)).toBe(true);
  });

  it('does not start at all when aborted before, nor go on when aborted while the log is opened', async () => {
    const reason = new Error('stop');
    await expect(runProcess(script('sleep 9', { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    const stop = new AbortController();
    const running = runProcess(script('sleep 9', { signal: stop.signal, log: join(folder.path, 'late.log') }));
    stop.abort(reason);
    const began = Date.now();
    await expect(running).rejects.toBe(reason);
    expect(Date.now() - began).toBeLessThan(1400);
  });

  it('does not wait for a grandchild that holds the pipe, and ends it', async () => {
    const began = Date.now();
    const { code, tail } = await runProcess(script('sleep 60 & echo pid $!'));
    expect(code).toBe(0);
    expect(Date.now() - began).toBeLessThan(1500);
    expect(await isGone(pidsIn(tail)[0] ?? 0)).toBe(true);
  });

  it('does not wait for one that has left the group, and does not listen to it any more', async () => {
    const lines: string[] = [];
    const began = Date.now();
    const log = join(folder.path, 'runaway.log');
    const text = 'setsid sh -c "echo pid \\$\\$; sleep 1; echo too late; sleep 60" & sleep 0.1';
    await runProcess(script(text, { log, onLine: (line) => lines.push(line) }));
    expect(Date.now() - began).toBeLessThan(900);
    const [pid = 0] = pidsIn(lines);
    expect(pid).toBeGreaterThan(0);
    await sleep(1200);
    expect(lines).toHaveLength(1);
    if (isAlive(pid)) process.kill(-pid, 'SIGKILL');
  });

  it('ends a child that prints nothing for too long, and none that prints', async () => {
    const log = join(folder.path, 'hung.log');
    const { code, exit, log: named } = await failureOf(() => runProcess(script('sleep 60', { idleLimit: 100, log })));
    expect({ code, exit, named }).toEqual({ code: 'A3S1204', exit: 1, named: log });
    const ticking = 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done';
    expect((await runProcess(script(ticking, { idleLimit: 400 }))).code).toBe(0);
  });

  it('reaches every group that runs', async () => {
    const pids: number[] = [];
    const onLine = (line: string): void => {
      pids.push(...pidsIn([line]));
      if (pids.length === 2) signalAllGroups('SIGKILL');
    };
    const both = [1, 2].map(() => runProcess(script('echo pid $$; exec sleep 60', { onLine })));
    expect((await Promise.all(both)).map(({ signal }) => signal)).toEqual(['SIGKILL', 'SIGKILL']);
  });
});
