import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { printReport, reportMarkdown } from '../../pipeline/commands/bindings-markdown.ts';
import { makeFolder } from '../helpers/session.ts';

describe('reportMarkdown', () => {
  it('shows the difference as a block, with the fix', () => {
    const text = ['libkrun.h for linux-x64', '- BREAKING removed  krun_free_ctx(u32) -> i32', 'semver: major'];
    expect(reportMarkdown({ fresh: false, text })).toBe(
      '### libkrun bindings: stale\n\n```diff\nlibkrun.h for linux-x64\n- BREAKING removed  krun_free_ctx(u32) -> i32\nsemver: major\n```\n\nFix: Run `a3s-build bindings` and commit generated/.\n',
    );
    expect(reportMarkdown({ fresh: true, text: [] })).toBe('### libkrun bindings: current\n');
  });

  it('lets nothing out of the block', () => {
    const markdown = reportMarkdown({
      fresh: false,
      text: ['````', '```\n@everyone <img src=x>', 'a\u202Eb\u2028# c', '\u001B[31m'],
    });
    expect(markdown.split('\n').slice(2, -3)).toEqual([
      '`````diff',
      '````',
      '``` @everyone <img src=x>',
      'a b # c',
      ' [31m',
      '`````',
    ]);
  });

  it('stays below what GitHub takes, and says what it left out', () => {
    const markdown = reportMarkdown({ fresh: false, text: Array.from({ length: 5000 }, () => 'x'.repeat(40)) });
    expect(markdown.length).toBeLessThan(65_536);
    expect(markdown).toMatch(/… and \d+ more lines/);
  });
});

describe('printReport', () => {
  let folder: ReturnType<typeof makeFolder>;
  beforeEach(() => {
    folder = makeFolder('report');
  });
  afterEach(() => folder.remove());

  async function print(content: string): Promise<string> {
    writeFileSync(join(folder.path, 'bindings.json'), content);
    let printed = '';
    const stdout = { write: (text: string) => (printed += text) } as unknown as NodeJS.WritableStream;
    await printReport('bindings.json', { cwd: folder.path, variables: {} }, { stdout, stderr: process.stderr });
    return printed;
  }

  it('reads what the check wrote, and says when it wrote nothing', async () => {
    expect(await print('{"fresh":true,"schema":2,"text":["a"],"more":1}')).toContain('current');
    expect(await print('')).toContain('not checked');
  });

  it.each([
    ['no JSON', 'oops'],
    ['another form', '{"fresh":true,"schema":3,"text":[]}'],
    ['lines that are none', '{"fresh":true,"schema":2,"text":[{}]}'],
    ['more than a report has', `{"fresh":true,"schema":2,"text":[]}${' '.repeat(2 ** 20)}`],
  ])('refuses %s', async (_name, content) => {
    await expect(print(content)).rejects.toMatchObject({ code: 'A3S4022' });
  });

  it('refuses a file that is not there', async () => {
    const streams = { stdout: process.stdout, stderr: process.stderr };
    await expect(printReport('x.json', { cwd: folder.path, variables: {} }, streams)).rejects.toMatchObject({
      code: 'A3S5002',
    });
  });
});
