import { describe, expect, it } from 'vitest';
import { buildError } from '../../pipeline/plan/errors.ts';
import type { RunEvent, StepOutcome } from '../../pipeline/run/engine.ts';
import { renderFailure } from '../../pipeline/run/failure-text.ts';
import { formatBytes, formatSeconds, progressText } from '../../pipeline/run/lines.ts';
import { plainView } from '../../pipeline/run/plain-view.ts';
import { explainChange } from '../../pipeline/run/reasons.ts';
import { painter, terminalKind } from '../../pipeline/run/terminal.ts';

const plain = painter(false);

describe('reasons', () => {
  it.each([
    [undefined, { a: '1' }, 'first run'],
    [{ a: '1' }, { a: '1' }, 'result was deleted or damaged'],
    [{ jobs: '1' }, { jobs: '2' }, 'jobs changed from 1 to 2'],
    [{ 'source: src/lib.rs': 'd'.repeat(64) }, { 'source: src/lib.rs': 'e'.repeat(64) }, 'src/lib.rs changed'],
    [{}, { 'source: new.rs': 'x' }, 'new.rs added'],
    [{ 'source: old.rs': 'x' }, {}, 'old.rs removed'],
    [{}, { a: '1', b: '1', c: '1', d: '1', e: '1' }, 'a added, b added, c added and 2 more'],
  ])('%j to %j is: %s', (before, now, text) => {
    expect(explainChange(before, now)).toBe(text);
  });
});

describe('figures', () => {
  it.each([
    [0.04, '0.0s'],
    [9.94, '9.9s'],
    [42.4, '42s'],
    [60, '1m 00s'],
    [125, '2m 05s'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });

  it.each([
    [999, '999 B'],
    [1000, '1.0 kB'],
    [21_563_064, '21.6 MB'],
    [999_960, '1.0 MB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('progress', () => {
  it('is a bar, a count and the current crate', () => {
    const progress = { done: 54, total: 120, unit: 'crates', detail: 'vm-memory' } as const;
    expect(progressText(progress)).toBe('[=======>        ] 54/120 crates  vm-memory');
  });

  it('is full at the end and never longer than its place', () => {
    expect(progressText({ done: 5, total: 5, unit: 'crates' })).toBe('[================] 5/5 crates');
    expect(progressText({ done: 9, total: 5, unit: 'crates' })).toContain('[================]');
  });

  it('tells what is known when the size is not', () => {
    expect(progressText({ done: 2_000_000, unit: 'bytes', detail: 'a.tgz' })).toBe('2.0 MB  a.tgz');
    expect(progressText({ detail: 'linking' })).toBe('linking');
  });
});

describe('a failure', () => {
  it('is told with cause, fix, place and log, without a stack', () => {
    const { failure } = buildError('A3S1203', {
      message: 'cc failed',
      where: { file: 'a.c', line: 3, column: 7 },
      log: 'x.log',
      fix: 'one\ntwo',
    });
    expect(renderFailure(failure, plain)).toBe(
      [
        '✗ cc failed  A3S1203',
        '  Why:  A compiler refused the source.',
        '  Fix:  one',
        '        two',
        '  At:   a.c:3:7',
        '  Log:  x.log',
        '  More: a3s-build explain A3S1203',
        '',
      ].join('\n'),
    );
  });

  it('shows the source line with a mark under the place, and the other place where two contradict each other', () => {
    const { failure } = buildError('A3S3002', {
      message: 'two of them',
      where: { file: 'b.h', line: 12, column: 5, source: { text: 'int f(long a);', caret: 4 } },
      also: { file: 'a.h', line: 3, source: { text: 'int f(int a);' } },
    });
    const shown = renderFailure(failure, plain).split('\n');
    expect(shown.slice(3, -2)).toEqual([
      '  At:   b.h:12:5',
      '        12 | int f(long a);',
      '           |     ^',
      '  And:  a.h:3',
      '        3 | int f(int a);',
    ]);
  });

  it('names its log once', () => {
    const { failure } = buildError('A3S1203', { message: 'm', where: { file: 'x.log' }, log: 'x.log' });
    expect(renderFailure(failure, plain).match(/x\.log/g)).toHaveLength(1);
  });
});

describe('the plain view', () => {
  function shown(...events: [at: number, event: RunEvent][]): string[] {
    let clock = 0;
    const lines: string[] = [];
    const view = plainView(
      (text) => lines.push(text),
      plain,
      () => clock,
    );
    for (const [at, event] of events) {
      clock = at;
      view(event);
    }
    return lines;
  }

  it('names the step on every line, and why it ran', () => {
    const result = { outcome: 'built', why: 'a.c changed', summary: 'static', seconds: 1.2 } as StepOutcome;
    expect(
      shown([0, { kind: 'start', step: 'init', why: 'a.c changed' }], [1, { kind: 'done', step: 'init', result }]),
    ).toEqual(['▸ init       started: a.c changed\n', '✓ init       static · ran: a.c changed  1.2s\n']);
  });

  it('shows progress at most every ten seconds', () => {
    const progress = (done: number): RunEvent => ({
      kind: 'progress',
      step: 'libkrun',
      progress: { done, total: 9, unit: 'crates' },
    });
    const start: RunEvent = { kind: 'start', step: 'libkrun', why: 'first run' };
    const lines = shown(
      [0, start],
      [9_999, progress(1)],
      [10_000, progress(2)],
      [15_000, progress(3)],
      [20_000, progress(4)],
    );
    expect(lines.slice(1).map((line) => /(\d)\/9/.exec(line)?.[1])).toEqual(['2', '4']);
  });
});

describe('the terminal', () => {
  const tty = { isTTY: true, columns: 100 };
  it.each([
    [tty, {}, { color: true, live: true }],
    [tty, { NO_COLOR: '1' }, { color: false, live: true }],
    [tty, { NO_COLOR: '1', FORCE_COLOR: '1' }, { color: true, live: true }],
    [tty, { FORCE_COLOR: '0' }, { color: false, live: true }],
    [tty, { TERM: 'dumb' }, { color: false, live: false }],
    [tty, { CI: 'true' }, { color: true, live: false }],
    [{ isTTY: true, columns: 39 }, {}, { color: true, live: false }],
    [{ isTTY: true, columns: 0 }, {}, { color: true, live: false }],
    [{}, {}, { color: false, live: false }],
    [{}, { FORCE_COLOR: '1' }, { color: true, live: false }],
  ])('%j with %j is %j', (stream, variables, kind) => {
    expect(terminalKind(stream, variables)).toEqual(kind);
  });
});
