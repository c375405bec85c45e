import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { withLock } from '../../pipeline/effects/lock.ts';
import { makeFolder } from '../helpers/session.ts';
import { failureOf } from './failure.ts';
import { bundleHolder } from './lock-holder.ts';

const folder = makeFolder('lock');
afterAll(folder.remove);

let holder = '';
beforeAll(async () => {
  holder = await bundleHolder(folder.path);
});

let count = 0;
function lockFile(content?: string): string {
  count += 1;
  const file = join(folder.path, `case-${count}`, 'x.lock');
  if (content !== undefined) {
    mkdirSync(dirname(file));
    writeFileSync(file, content);
  }
  return file;
}

/** Starts a process that holds `file` for `milliseconds`, and waits until it does. */
async function startHolder(file: string, milliseconds: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [holder, file, String(milliseconds)], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

const started = (pid: number | undefined): string => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
};

/** Whether the lock can be had at once. */
async function isFree(file: string): Promise<boolean> {
  const began = Date.now();
  await withLock(file, { limit: 0 }, async () => {});
  return Date.now() - began < 150;
}

it('runs the work, hands on its result or failure, and leaves no file', async () => {
  const file = lockFile();
  expect(await withLock(file, {}, async () => existsSync(file))).toBe(true);
  await expect(withLock(file, {}, () => Promise.reject(new Error('work failed')))).rejects.toThrow('work failed');
  expect(readdirSync(dirname(file))).toEqual([]);
});

it('keeps another process out until the work is done, and tells once who is waited for', async () => {
  const file = lockFile();
  const child = await startHolder(file, 500);
  const told: number[] = [];
  const said: string[] = [];
  child.stdout?.on('data', (text) => said.push(String(text)));
  await withLock(file, { onWait: (pid) => told.push(pid) }, async () => expect(said).toEqual(['done\n']));
  expect(told).toEqual([child.pid]);
});

it('lets one at a time through, of many in one process', async () => {
  const file = lockFile();
  let inside = 0;
  const work = async (): Promise<void> => {
    inside += 1;
    expect(inside).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 4 }, () => withLock(file, {}, work)));
  expect(readdirSync(dirname(file))).toEqual([]);
});

it('takes over the lock of a process that was killed', async () => {
  const file = lockFile();
  const child = await startHolder(file, 60_000);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(existsSync(file)).toBe(true);
  expect(await isFree(file)).toBe(true);
});

it('takes over the lock of a process that has ended and that nobody has collected', async () => {
  // exec replaces the parent by a program that collects nobody: its child stays as a zombie.
  const parent = spawn('/bin/sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 30'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const pid = Number(String((await once(parent.stdout, 'data'))[0]));
  while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')))
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await isFree(lockFile(JSON.stringify({ pid, started: started(pid) })))).toBe(true);
});

it('takes over when the process id belongs to another process now', async () => {
  expect(await isFree(lockFile(JSON.stringify({ pid: process.ppid, started: '1' })))).toBe(true);
});

it('respects a process that is stopped', async () => {
  const file = lockFile();
  const child = await startHolder(file, 60_000);
  child.kill('SIGSTOP');
  expect((await failureOf(() => withLock(file, { limit: 300 }, async () => {}))).code).toBe('A3S5003');
});

it.each(['', '{"pid":', 'null', '[]', '{"pid":"x"}', '{"pid":-1}', '{"pid":1e400}'])(
  'takes over a damaged lock file: %s',
  async (text) => {
    expect(await isFree(lockFile(text))).toBe(true);
  },
);

it('gives up when the holder does not finish in time, and names it', async () => {
  const file = lockFile(JSON.stringify({ pid: process.ppid, started: started(process.ppid) }));
  const { code, exit, message, where } = await failureOf(() => withLock(file, { limit: 250 }, async () => {}));
  expect({ code, exit, where }).toEqual({ code: 'A3S5003', exit: 75, where: { file } });
  expect(message).toContain(String(process.ppid));
  expect(existsSync(file)).toBe(true);
});

it('ends its waiting when aborted', async () => {
  const file = lockFile(JSON.stringify({ pid: process.ppid, started: started(process.ppid) }));
  const reason = new Error('stopped by the user');
  const stop = new AbortController();
  setTimeout(() => stop.abort(reason), 50);
  const began = Date.now();
  await expect(withLock(file, { signal: stop.signal }, async () => {})).rejects.toBe(reason);
  expect(Date.now() - began).toBeLessThan(1000);
});

it('does not take away a lock that has become that of another holder', async () => {
  const file = lockFile();
  await withLock(file, {}, async () => writeFileSync(file, '{"pid":1,"started":"other"}'));
  expect(readFileSync(file, 'utf8')).toContain('other');
});

it('reports a place where no lock can be made', async () => {
  const file = lockFile('');
  expect((await failureOf(() => withLock(join(file, 'below.lock'), {}, async () => {}))).code).toBe('A3S5002');
});
