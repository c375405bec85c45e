import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunOptions, VmConfig } from '../../native/npm/api.ts';
import { VmError } from '../../native/npm/api.ts';
import { FIELDS } from '../../native/npm/description.ts';
import { explainExitCode } from '../../native/npm/exit-code.ts';
import { REPORTED_CODES } from '../../native/npm/failure.ts';
import { startVm } from '../../native/npm/start.ts';

/** Stands in for the launcher: reads the description, then does what the description's command says. */
const FAKE = `#!${process.execPath}
const fs = require('node:fs');
const description = JSON.parse(fs.readFileSync(3, 'utf8'));
const [action, value] = [description.command, (description.arguments ?? [])[0]];
const actions = {
  exit: () => process.exit(Number(value)),
  die: () => process.kill(process.pid, 'SIGKILL'),
  report: () => { fs.writeSync(4, value + '\\n'); process.exit(125); },
  describe: () => console.log(JSON.stringify({ description, argv: process.argv.slice(2), env: process.env })),
  flood: () => process.stdout.write('x'.repeat(Number(value))),
  echo: () => { process.stdin.pipe(process.stdout); console.error('to stderr'); },
  sleep: () => { console.log('up'); setInterval(() => {}, 1000); },
  stubborn: () => { process.on('SIGTERM', () => process.exit(143)); console.log('up'); setInterval(() => {}, 1000); },
};
actions[action]();
`;

let folder = '';
let launcher = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run test '));
  launcher = join(folder, 'krun-launcher');
  await writeFile(launcher, FAKE, { mode: 0o755 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const start = (command: string, argument?: string, options: RunOptions = {}, more: Partial<VmConfig> = {}) =>
  startVm(
    launcher,
    { root: '/guest', command, ...(argument === undefined ? {} : { arguments: [argument] }), ...more },
    { stdio: 'pipe', ...options },
  );

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('startVm', () => {
  it('tells why the system killed the launcher, where the system says so', async () => {
    const vm = startVm(launcher, { root: '/guest', command: 'die' }, { stdio: 'pipe' }, () => Promise.resolve(['why']));
    await expect(vm.exit).rejects.toMatchObject({ code: 'LAUNCHER_NOT_STARTED', exitCode: 137 });
  });

  it('asks nobody about a launcher that its own user killed', async () => {
    const causes = () => Promise.reject(new Error('asked'));
    const vm = startVm(launcher, { root: '/guest', command: 'sleep' }, { stdio: 'pipe' }, causes);
    vm.kill('SIGKILL');
    expect(await vm.exit).toEqual({ code: 137, signal: 'SIGKILL' });
  });

  it('gives the exit code when awaited, whatever it is', async () => {
    for (const code of [0, 7, 125, 126, 127, 137]) {
      expect(await start('exit', String(code))).toBe(code);
    }
    expect(await start('exit', '7').exit).toEqual({ code: 7, signal: null });
  });

  it('passes on the description and nothing of this process', async () => {
    const vm = start('describe', 'x', {}, { root: '.', environment: { A: 'b c' }, mounts: [{ tag: 't', path: 'd' }] });
    const told = JSON.parse(await text(vm.stdout ?? Readable.from([]))) as Record<string, unknown>;
    expect(told).toEqual({
      description: {
        root: process.cwd(),
        command: 'describe',
        arguments: ['x'],
        environment: { A: 'b c' },
        mounts: [{ tag: 't', path: join(process.cwd(), 'd') }],
      },
      argv: ['--fd', '3', '--error-fd', '4'],
      env: {},
    });
  });

  it('feeds and reads streams of the caller', async () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const vm = start('echo', undefined, { stdin: Readable.from(['one ', 'two']), stdout, stderr });
    expect([vm.stdin, vm.stdout, vm.stderr]).toEqual([null, null, null]);
    expect(await vm).toBe(0);
    expect([stdout.writableEnded, stderr.writableEnded]).toEqual([false, false]);
    stdout.end();
    stderr.end();
    expect([await text(stdout), await text(stderr)]).toEqual(['one two', 'to stderr\n']);
  });

  it('has all output before it ends', async () => {
    const stdout = new PassThrough({ highWaterMark: 4 * 1024 * 1024 });
    expect(await start('flood', '2000000', { stdout })).toBe(0);
    stdout.end();
    expect((await text(stdout)).length).toBe(2_000_000);
  });

  it('does not stop for a reader that has gone', async () => {
    const stdout = new PassThrough();
    stdout.destroy();
    expect(await start('flood', '2000000', { stdout })).toBe(0);
  });

  it('lets the output be read before the end is awaited, also when the VM fails', async () => {
    const vm = start('report', '{"code":"LAUNCHER_NO_KVM","message":"no device"}');
    await text(vm.stdout ?? Readable.from([]));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(vm.exit).rejects.toMatchObject({ code: 'LAUNCHER_NO_KVM' });
  });

  it('rejects with what the launcher reported', async () => {
    const report = '{"code":"LAUNCHER_CALL","message":"it failed","function":"krun_set_root","errno":2}';
    await expect(start('report', report)).rejects.toMatchObject({
      name: 'VmError',
      code: 'LAUNCHER_CALL',
      message: 'it failed',
      function: 'krun_set_root',
      errno: 2,
      exitCode: 125,
    });
  });

  it.each([
    ['a code of a later launcher', '{"code":"LAUNCHER_NEW","message":"news"}', 'LAUNCHER_NEW: news'],
    ['something unreadable', '{"code":', 'unreadable'],
    ['another form', '{"code":1}', 'unreadable'],
  ])('says that it does not know %s', async (_name, report, words) => {
    const failure = await start('report', report).exit.catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'LAUNCHER_UNKNOWN' });
    expect((failure as VmError).message).toContain(words);
  });

  it('kills, and tells the signal', async () => {
    const vm = start('sleep');
    await new Promise((resolve) => vm.stdout?.once('data', resolve));
    expect(vm.pid).toBeGreaterThan(0);
    expect(vm.kill()).toBe(true);
    expect(await vm.exit).toEqual({ code: 143, signal: 'SIGTERM' });
    expect(vm.kill()).toBe(false);
  });

  it.each(['sleep', 'stubborn'])('ends with the reason of an aborted signal: %s', async (command) => {
    const controller = new AbortController();
    const vm = start(command, undefined, { signal: controller.signal });
    await new Promise((resolve) => vm.stdout?.once('data', resolve));
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(vm.exit).rejects.toBe(reason);
  });

  it('starts nothing when the signal is aborted already', () => {
    expect(thrown(() => start('exit', '0', { signal: AbortSignal.abort() }))).toMatchObject({ name: 'AbortError' });
  });

  it('says that the launcher lost its mode', async () => {
    const file = join(folder, 'plain');
    await writeFile(file, FAKE);
    await chmod(file, 0o644);
    const failure = thrown(() => startVm(file, { root: '/', command: 'x' }));
    expect(failure).toMatchObject({ code: 'LAUNCHER_NOT_EXECUTABLE', cause: { code: 'EACCES' } });
    expect((failure as VmError).message).toContain('chmod 755');
  });

  it('says that the system cannot start the launcher', async () => {
    const file = join(folder, 'broken');
    await writeFile(file, '#!/no/such/interpreter\n', { mode: 0o755 });
    const vm = startVm(file, { root: '/', command: 'x' }, { stdio: 'ignore' });
    await expect(vm).rejects.toMatchObject({ code: 'LAUNCHER_NOT_STARTED', cause: { code: 'ENOENT' } });
    expect(vm.pid).toBeUndefined();
  });

  it.each([
    ['command is missing', { root: '/' }],
    ['root must be a string', { root: 1, command: 'x' }],
    ['root must not be empty', { root: '', command: 'x' }],
    ['vcpus must be a whole number', { root: '/', command: 'x', vcpus: Number.NaN }],
    ['arguments must be a list of strings', { root: '/', command: 'x', arguments: ['a', undefined] }],
    ['environment must be an object of strings', { root: '/', command: 'x', environment: { A: 1 } }],
    ['mounts must be a list of { tag, path }', { root: '/', command: 'x', mounts: ['/data'] }],
    ['mounts must be a list of { tag, path }', { root: '/', command: 'x', mounts: [{ tag: 'data' }] }],
    ['ports must be a list of { host, guest }', { root: '/', command: 'x', ports: [{ host: '80', guest: 80 }] }],
    ['unknown field "comand"', { root: '/', comand: 'x' }],
    ['the configuration must be an object', null],
  ])('refuses a configuration: %s', (message, config) => {
    const failure = thrown(() => startVm(launcher, config as unknown as VmConfig));
    expect(failure).toBeInstanceOf(VmError);
    expect(failure).toMatchObject({ code: 'LAUNCHER_BAD_DESCRIPTION', message });
  });
});

describe('explainExitCode', () => {
  it('knows the codes of the guest init and of signals', () => {
    expect(explainExitCode(126)).toContain('could not execute');
    expect(explainExitCode(127)).toContain('did not find');
    expect(explainExitCode(137)).toBe('ended by SIGKILL');
    expect([explainExitCode(0), explainExitCode(7), explainExitCode(125), explainExitCode(255)]).toEqual(
      Array(4).fill(undefined),
    );
  });
});

describe('the launcher', () => {
  const source = (name: string): Promise<string> =>
    readFile(new URL(`../../native/launcher/src/${name}`, import.meta.url), 'utf8');

  it('reports the codes that are known here, and no others', async () => {
    const codes = (await source('error.rs')).matchAll(/=> "(LAUNCHER_\w+)"/g);
    expect([...codes].map((match) => match[1]).sort()).toEqual([...REPORTED_CODES].sort());
  });

  it('takes the fields that are known here, and no others', async () => {
    const help = /The description is[^\n]*\n((?: {2}\w+ [^\n]*\n)+)/.exec(await source('options.rs'))?.[1] ?? '';
    const fields = [...help.matchAll(/^ {2}(\w+)/gm)].map((match) => match[1]);
    expect(fields.sort()).toEqual(Object.keys(FIELDS).sort());
  });
});
