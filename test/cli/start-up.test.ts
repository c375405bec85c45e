import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../helpers/cli.ts';
import { writeTree } from '../helpers/tree.ts';

/** Text that only the code of each package holds, as the bundle has it. */
const MARKS: Readonly<Record<string, string>> = {
  undici: 'UND_ERR_CONNECT_TIMEOUT',
  tar: 'TAR_BAD_ARCHIVE',
  'ts-morph': 'createSourceFile',
  chokidar: 'CHOKIDAR_USEPOLLING',
  listr2: 'registerSignalListeners',
  '@npmcli/config': 'npm_config_',
};

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'start-up-'));
  writeFileSync(join(folder, 'package.json'), '{"name":"project"}');
  writeTree(join(folder, 'vendor/libkrun'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Files of ours that Node loads for these arguments. */
async function loadedFiles(args: readonly string[]): Promise<string[]> {
  const coverage = mkdtempSync(join(folder, 'coverage-'));
  const env = { A3S_CACHE_DIR: join(folder, 'store'), NODE_V8_COVERAGE: coverage };
  expect(await runCli(args, { cwd: folder, env })).toMatchObject({ code: 0 });
  const scripts = readdirSync(coverage).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(coverage, name), 'utf8')) as { result: { url: string }[] };
    return result.map((script) => script.url);
  });
  return scripts.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url));
}

const packagesIn = (files: readonly string[]): string[] =>
  Object.keys(MARKS).filter((name) => files.some((file) => readFileSync(file, 'utf8').includes(MARKS[name] ?? '')));

it('loads none of the heavy packages when there is nothing to do', async () => {
  await loadedFiles(['--only', 'init']);
  const files = await loadedFiles(['--only', 'init']);
  expect(files.length).toBeGreaterThan(3);
  expect(packagesIn(files)).toEqual([]);
  expect(files.some((file) => /libclang|napi-build/.test(file))).toBe(false);
});

it('would see them if they were loaded', async () => {
  const dist = join(import.meta.dirname, '../../dist');
  const chunks = readdirSync(join(dist, 'chunks')).map((name) => join(dist, 'chunks', name));
  expect(packagesIn(chunks)).toEqual(Object.keys(MARKS));
});
