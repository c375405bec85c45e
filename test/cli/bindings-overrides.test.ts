import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCli } from '../helpers/cli.ts';
import { makeFolder } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';

const EXTRA = '#include <stdint.h>\nint32_t extra_send(char *text);\n';

let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder('overrides');
  write('package.json', '{"name":"project"}');
  write('extra.h', EXTRA);
  writeTree(join(folder.path, 'vendor/libkrun'));
});
afterEach(() => folder.remove());

const write = (path: string, text: string) => writeFileSync(join(folder.path, path), text);
const read = (path: string) => readFileSync(join(folder.path, path), 'utf8');
const configure = (overrides: string) =>
  write(
    'a3s-build.config.json',
    `{\n  "bindings": { "headers": ["extra.h"], "overrides": [\n    ${overrides}\n  ] }\n}\n`,
  );
const bindings = (...args: string[]) =>
  runCli(['bindings', ...args], { cwd: folder.path, env: { A3S_CACHE_DIR: join(folder.path, 'store') } });

it('asks about a function with an entry to paste, which counts once it has a reason', async () => {
  write('a3s-build.config.json', '{ "bindings": { "headers": ["extra.h"] } }');
  const asked = await bindings();
  expect(asked.code).toBe(65);
  expect(asked.stderr).toContain('A3S3003');
  expect(asked.stderr).toMatch(/extra\.h:2\n +2 \| int32_t extra_send\(char \*text\);/);
  const [entry = ''] = /\{ "function": "extra_send".*"reason": "" \}/.exec(asked.stderr) ?? [];

  configure(entry);
  const pasted = await bindings();
  expect(pasted.code).toBe(78);
  expect(pasted.stderr).toContain('"bindings.overrides.0.reason": expected what the implementation does');

  configure(entry.replace('"reason": ""', '"reason": "Only counts the pointers."'));
  expect(await bindings()).toMatchObject({ code: 0 });
  expect(await bindings('--check')).toMatchObject({ code: 0 });
  expect(read('generated/sys.rs')).toContain('pub fn extra_send(');
  expect(read('generated/libkrun.d.ts')).not.toContain('extraSend');

  const text = '"parameters": { "text": { "role": { "kind": "string" }, "nullable": true } }';
  configure(
    `{ "function": "extra_send", "returns": "status", ${text}, "reason": "Reads up to a NUL; NULL is empty." }`,
  );
  const stale = await bindings('--check');
  expect(stale.code).toBe(2);
  const changed = await bindings();
  expect(changed.stderr).toContain('override extra_send changed');
  expect(read('generated/libkrun.d.ts')).toContain('extraSend(text?: string | undefined | null): void;');
  // Six runs, some of which parse with the embedded libclang where there is no other.
}, 60_000);

it('refuses an entry that fits nothing any more, where it stands', async () => {
  configure('{ "function": "extra_sent", "returns": "status", "reason": "Returns 0 or -errno." }');
  const result = await bindings();
  expect(result.code).toBe(65);
  expect(result.stderr).toContain('extra_sent: an override names it, but no header declares it');
  expect(result.stderr).toContain('Correct or remove the override named.');
  expect(result.stderr).toContain(`At:   ${join(folder.path, 'a3s-build.config.json')}:3:5`);
});
