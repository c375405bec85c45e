import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningCli, startCli } from '../helpers/cli.ts';
import { makeFolder } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';

const HEADER = 'vendor/libkrun/include/libkrun.h';
const CREATE = 'int32_t krun_create_ctx(void);\n';
const FREE = `/**
 * Frees a context.
 *
 * Returns:
 *  Zero on success or a negative error number on failure.
 */
int32_t krun_free_ctx(uint32_t ctx_id);
`;

let folder: ReturnType<typeof makeFolder>;
let running: RunningCli | undefined;
beforeEach(() => {
  folder = makeFolder('watch');
  writeFileSync(at('package.json'), '{"name":"project"}');
  writeTree(at('vendor/libkrun'));
});
afterEach(async () => {
  await running?.end('SIGKILL');
  running = undefined;
  folder.remove();
});

const at = (path: string) => join(folder.path, path);
const read = (path: string) => readFileSync(at(path), 'utf8');
const written = (path: string) => statSync(at(path), { bigint: true }).mtimeNs;

function watch(...args: string[]): RunningCli {
  running = startCli(['bindings', '--watch', ...args], {
    cwd: folder.path,
    env: { A3S_CACHE_DIR: at('store') },
  });
  return running;
}

/** Saves as many editors do: another file takes the place of the old one. */
function save(path: string, text: string): void {
  writeFileSync(at(`${path}.new`), text);
  renameSync(at(`${path}.new`), at(path));
}

describe('bindings --watch', () => {
  it('writes what a save changes, tells the difference and its release, and ends on Ctrl-C', async () => {
    const cli = watch();
    await cli.printed(`watching ${HEADER}, a3s-build.config.json; Ctrl-C ends`);
    const header = read(HEADER);
    const [before, constants] = [written('generated/sys.rs'), written('generated/napi/src/constants.rs')];

    save(HEADER, header + FREE);
    await cli.printed('wrote generated/');
    expect(cli.stderr()).toContain(`${HEADER} changed\n`);
    expect(cli.stderr()).toMatch(/^\+ added +krun_free_ctx\(u32\) -> i32$/m);
    expect(cli.stderr()).toContain('semver: minor');
    expect(read('generated/sys.rs')).toContain('krun_free_ctx');
    expect(written('generated/sys.rs')).not.toBe(before);
    expect(written('generated/napi/src/constants.rs')).toBe(constants);

    expect(await cli.end('SIGINT')).toBe(130);
    expect(cli.stderr()).not.toContain('interrupted');
  });

  it('survives an error in the header, leaves the files alone meanwhile, and goes on', async () => {
    const cli = watch();
    await cli.printed('watching');
    const header = read(HEADER);
    const [lock, before] = [read('generated/abi.json'), written('generated/abi.json')];

    save(HEADER, header.replace(CREATE, 'int32_t krun_create_ctx(;\n'));
    await cli.printed('A3S3002');
    await cli.printed('More: a3s-build explain');
    expect(cli.stderr()).toMatch(/libkrun\.h:8:25\n +8 \| int32_t krun_create_ctx\(;\n +\| {25}\^/);
    expect({ lock: read('generated/abi.json'), at: written('generated/abi.json') }).toEqual({ lock, at: before });

    save(HEADER, `#include <stdint.h>\n${FREE}`);
    await cli.printed('- BREAKING removed  krun_create_ctx');
    expect(await cli.end('SIGINT')).toBe(130);
  });

  it('follows the configuration: headers that it adds, overrides, and its own errors', async () => {
    const cli = watch();
    await cli.printed('watching');
    writeFileSync(at('more.h'), '#include <stdint.h>\nint32_t more(void);\n');
    save('a3s-build.config.json', '{ "bindings": { "headers": ["more.h"] } }');
    await cli.printed('A3S3003');
    await cli.printed(`watching ${HEADER}, more.h, a3s-build.config.json`);

    const override = '{ "function": "more", "returns": "status", "reason": "read" }';
    save('a3s-build.config.json', `{ "bindings": { "headers": ["more.h"], "overrides": [${override}] } }`);
    await cli.printed('more() -> i32');

    save('a3s-build.config.json', '{ "bindings": ');
    await cli.printed('A3S1101');
    save('a3s-build.config.json', '{}');
    await cli.printed('removed  more');
    expect(await cli.end('SIGTERM')).toBe(143);
  });

  it('ends with the error where the configuration cannot be used at the start', async () => {
    writeFileSync(at('a3s-build.config.json'), '{ "jobs": 0 }');
    expect(await watch().ended).toBe(78);
  });
});

describe('bindings --watch with the pinned crate', () => {
  it('says that there is nothing to watch', async () => {
    renameSync(at('vendor'), at('elsewhere'));
    const cli = watch();
    expect(await cli.ended).toBe(64);
    expect(cli.stderr()).toContain('nothing to watch: libkrun.h is that of the pinned crate');
    expect(cli.stderr()).toContain('--libkrun-dir');
  });
});

it('is refused together with what runs once', async () => {
  expect(await watch('--check').ended).toBe(64);
});

describe('bindings without --watch', () => {
  it('leaves files alone whose content does not change', async () => {
    mkdirSync(at('generated'));
    const run = () => startCli(['bindings'], { cwd: folder.path, env: { A3S_CACHE_DIR: at('store') } });
    expect(await run().ended).toBe(0);
    const files = ['abi.json', 'sys.rs', 'libkrun.d.ts', 'napi/src/functions.rs'].map((name) => `generated/${name}`);
    const before = files.map(written);
    writeFileSync(at(HEADER), read(HEADER).replace('Creates', 'Makes'));
    expect(await run().ended).toBe(0);
    // A comment shows in the lock alone, as a digest.
    expect(files.map(written).map((time, index) => time === before[index])).toEqual([false, true, true, true]);
  });
});
