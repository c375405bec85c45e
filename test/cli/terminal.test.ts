import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeFolder, REPOSITORY } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';

let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder('terminal');
  writeFileSync(join(folder.path, 'package.json'), '{"name":"project"}');
  writeTree(join(folder.path, 'vendor/libkrun'));
});
afterEach(() => folder.remove());

/** Runs the program on a terminal of its own; util-linux's `script` gives one to it and passes its exit code on. */
function onTerminal(args: string, env: Record<string, string> = {}): { code: number | null; output: string } {
  const command = `stty cols 100; ${process.execPath} ${REPOSITORY}/dist/cli.cjs ${args}`;
  const { status, stdout } = spawnSync('script', ['-qefc', command, '/dev/null'], {
    cwd: folder.path,
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      TERM: 'xterm',
      A3S_CACHE_DIR: join(folder.path, 'store'),
      ...env,
    },
  });
  return { code: status, output: stdout };
}

/** What a live view does to the cursor, and must undo. */
const HIDE = '\u001b[?25l';
const SHOW = '\u001b[?25h';

it('draws the steps in place, and leaves each with its outcome', () => {
  const { code, output } = onTerminal('--only init');
  expect(code).toBe(0);
  expect(output).toContain(HIDE);
  const last = output.slice(output.lastIndexOf(HIDE));
  expect(last).toContain(SHOW);
  expect(last).toMatch(/✔.*source .*first run/);
  expect(last).toMatch(/✔.*init .*static x86_64 executable/);
  expect(last).toMatch(/2 steps ran, 0 unchanged in/);
});

it('draws nothing when there is nothing to do', () => {
  onTerminal('--only init');
  const { code, output } = onTerminal('--only init');
  expect(code).toBe(0);
  expect(output).not.toContain(HIDE);
  expect(output).toContain('nothing to do: 2 steps unchanged');
});

it('shows which step failed, then why', () => {
  writeTree(join(folder.path, 'vendor/libkrun'), { 'init/init.c': 'broken\n' });
  const { code, output } = onTerminal('--only init');
  expect(code).toBe(1);
  expect(output.slice(output.lastIndexOf(HIDE))).toMatch(/[✖×].*init .*failed after[\s\S]*A3S1203/);
});

it('writes plain lines on a terminal that can do no more', () => {
  const { code, output } = onTerminal('--only init', { TERM: 'dumb' });
  expect(code).toBe(0);
  expect(output).not.toContain('\u001b[');
  expect(output).toMatch(/✓ init .*ran: first run/);
});
