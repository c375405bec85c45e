import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openToolchain, requireTools } from '../../pipeline/effects/toolchain.ts';
import { makeFolder } from '../helpers/session.ts';
import { failureOf } from './failure.ts';

const folder = makeFolder('toolchain');
afterAll(folder.remove);

let count = 0;
/** A folder that is all of PATH, with a script for each tool. */
function tools(scripts: Record<string, string>) {
  count += 1;
  const bin = join(folder.path, `bin-${count}`);
  mkdirSync(bin);
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return openToolchain(folder.path, { PATH: bin });
}

const CC = { command: 'cc', args: [] } as const;
const ALL = { cargo: 'cargo', rustc: 'rustc', cc: 'cc', initCompiler: CC };
const LIBC = join(folder.path, 'libc.a');
writeFileSync(LIBC, '');
const GOOD = {
  cargo: 'echo cargo 1.95.0',
  rustc: 'echo rustc 1.95.0; echo release: 1.95.0',
  cc: `case "$1" in -print*) echo ${LIBC};; *) echo cc 12;; esac`,
};

describe('requireTools', () => {
  it('is content when everything is there', async () => {
    await expect(requireTools(ALL, tools(GOOD))).resolves.toBeUndefined();
  });

  it('names all missing tools at once, with the lines that install them', async () => {
    const { code, exit, message, fix } = await failureOf(() => requireTools(ALL, tools({})));
    expect({ code, exit }).toEqual({ code: 'A3S1201', exit: 72 });
    for (const name of ['cargo', 'rustc', 'cc']) expect(message).toContain(name);
    expect(fix).toMatch(/rustup|cargo/);
    expect(fix).toMatch(/gcc|llvm|cc/);
    expect(fix).toMatch(/libc|glibc|llvm/);
  });

  it('takes a tool that fails for a missing one', async () => {
    const { message } = await failureOf(() => requireTools(ALL, tools({ ...GOOD, cargo: 'exit 1' })));
    expect(message).toBe('missing: cargo');
  });

  it('tells a compiler without static libc from a missing compiler', async () => {
    const bare = tools({ ...GOOD, cc: 'case "$1" in -print*) echo libc.a;; esac' });
    expect((await failureOf(() => requireTools(ALL, bare))).message).toContain('libc.a');
    await expect(requireTools({ cargo: 'cargo', rustc: 'rustc', cc: 'cc' }, bare)).resolves.toBeUndefined();
  });

  it('asks only for what is needed', async () => {
    await expect(requireTools({}, tools({}))).resolves.toBeUndefined();
  });

  it.each(['1.87.0', '1.87.0-nightly'])('refuses rustc %s and says what is needed', async (version) => {
    const old = tools({ ...GOOD, rustc: `echo release: ${version}` });
    const { code, message } = await failureOf(() => requireTools(ALL, old));
    expect(code).toBe('A3S1202');
    expect(message).toMatch(/1\.87\.0.*1\.88\.0/);
  });

  it('refuses a rustc that does not tell its version', async () => {
    expect((await failureOf(() => requireTools(ALL, tools({ ...GOOD, rustc: 'echo hello' })))).code).toBe('A3S1202');
  });
});

describe('ask', () => {
  it('puts each question once, and answers with what was printed', async () => {
    const log = join(folder.path, 'asked');
    const toolchain = tools({ tool: `echo "$@" >> ${log}; echo "  answer $1  "; echo noise >&2` });
    const answers = await Promise.all([1, 1, 2].map((n) => toolchain.ask('tool', [String(n)])));
    expect(answers).toEqual(['answer 1', 'answer 1', 'answer 2']);
    expect(readFileSync(log, 'utf8').trim().split('\n').sort()).toEqual(['1', '2']);
  });

  it('answers nothing for a program that is not there or fails', async () => {
    const toolchain = tools({ fails: 'echo text; exit 3' });
    expect(await toolchain.ask('absent', [])).toBeUndefined();
    expect(await toolchain.ask('fails', [])).toBeUndefined();
  });
});
