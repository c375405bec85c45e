import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod/mini';
import { withDiskErrors } from '../effects/files.ts';
import { parseDocument } from '../plan/document.ts';
import { ERROR_TABLE } from '../plan/error-table.ts';
import { buildError } from '../plan/errors.ts';
import type { Streams, Surroundings } from './session.ts';

/** What is taken of a report; it may come from somebody else's pull request. */
const reportSchema = z.looseObject({ schema: z.literal(2), fresh: z.boolean(), text: z.array(z.string()) });

const SIZE_LIMIT = 2 ** 20;

/** Below GitHub's 65,536 characters for a comment. */
const TEXT_LIMIT = 60_000;

/**
 * Prints what `bindings --check --json` wrote to `file` as Markdown, for a comment or a summary. Whatever the report
 * holds stays text: it cannot end the block that it stands in.
 * @throws BuildError A3S4022 for a file that is no such report; A3S5002 for one that cannot be read.
 */
export async function printReport(file: string, { cwd }: Surroundings, { stdout }: Streams): Promise<void> {
  const path = resolve(cwd, file);
  const { size } = await withDiskErrors(path, () => stat(path));
  if (size > SIZE_LIMIT) throw buildError('A3S4022', { message: `${path} has ${size} bytes`, where: { file: path } });
  const text = await withDiskErrors(path, () => readFile(path, 'utf8'));
  stdout.write(text.trim() === '' ? unfinished() : reportMarkdown(parseReport(text, path)));
}

export type BindingsReport = z.infer<typeof reportSchema>;

function parseReport(text: string, file: string): BindingsReport {
  return parseDocument(text, file, reportSchema, 'A3S4022');
}

function unfinished(): string {
  return '### libkrun bindings: not checked\n\nThe check ended before it had a result; its log tells why.\n';
}

/** Markdown of a report. Pure. */
export function reportMarkdown({ fresh, text }: Pick<BindingsReport, 'fresh' | 'text'>): string {
  const head = `### libkrun bindings: ${fresh ? 'current' : 'stale'}\n`;
  const fix = fresh ? [] : [`\nFix: ${ERROR_TABLE.A3S3001.fix}\n`];
  if (text.length === 0) return [head, ...fix].join('');
  const body = shortened(text.map(printable)).join('\n');
  const fence = '`'.repeat(Math.max(3, longestRun(body) + 1));
  return [head, `\n${fence}diff\n${body}\n${fence}\n`, ...fix].join('');
}

/** Without what a terminal or a browser would obey: controls, line ends and marks that turn text around. */
function printable(line: string): string {
  return line.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
}

function shortened(lines: readonly string[]): readonly string[] {
  let room = TEXT_LIMIT;
  const fitting = lines.findIndex((line) => {
    room -= line.length + 1;
    return room < 0;
  });
  return fitting === -1 ? lines : [...lines.slice(0, fitting), `… and ${lines.length - fitting} more lines`];
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
