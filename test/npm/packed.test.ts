import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildNpmRuntime } from '../../native/npm/build.mjs';
import { hostTarget } from '../../pipeline/plan/targets.ts';
import { rootManifest } from '../../pipeline/steps/package/manifests.ts';
import { addonName, platformPackageName } from '../../pipeline/steps/package/names.ts';
import { platformTable, rawModules } from '../../pipeline/steps/package/root-code.ts';
import { typeErrors } from '../helpers/type-check.ts';

const NAME = '@acme/libkrun';
const TARGET = hostTarget(process.platform, process.arch);
const ROOT = { name: NAME, version: '1.2.3', targets: [TARGET] };
const DECLARATIONS = 'export declare const KRUN_ONE: 1;\nexport declare function krunCreateCtx(): number;\n';

/** Stands in for the launcher: ends with 7, or never when the command is "sleep". */
const LAUNCHER = `#!${process.execPath}
const { command } = JSON.parse(require('node:fs').readFileSync(3, 'utf8'));
if (command === 'sleep') setInterval(() => {}, 1000);
else process.exitCode = 7;
`;

let project = '';
const packageFolder = (name: string): string => join(project, 'node_modules', name);

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content, { mode: path.startsWith('bin/') ? 0o755 : 0o644 });
  }
}

/** Runs a script of the project in a process of its own. */
async function node(script: string, text: string): Promise<string> {
  await write(project, { [script]: text });
  const { stdout } = await promisify(execFile)(process.execPath, [join(project, script)], { timeout: 15_000 });
  return stdout.trim();
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'packed test '));
  const raw = rawModules(DECLARATIONS);
  await buildNpmRuntime(packageFolder(NAME));
  await write(packageFolder(NAME), {
    'package.json': JSON.stringify(rootManifest(ROOT)),
    'platform.cjs': platformTable(ROOT),
    'libkrun.cjs': raw.cjs,
    'libkrun.js': raw.esm,
    'libkrun.d.ts': DECLARATIONS,
    'libkrun.d.cts': DECLARATIONS,
  });
  await write(packageFolder(platformPackageName(NAME, TARGET)), {
    'package.json': '{"version":"1.2.3"}',
    'bin/krun-launcher': LAUNCHER,
    [`lib/${TARGET.libraryFile}`]: 'no library',
    [`lib/${TARGET.firmwareFile}`]: 'no kernel',
    [addonName(TARGET)]: 'no shared object',
  });
});
afterAll(() => rm(project, { recursive: true, force: true }));

describe('the root package', () => {
  it('runs a VM from a module and from CommonJS, without touching the addon', async () => {
    const esm = `import { run } from '${NAME}';\nconsole.log(await run({ root: '/', command: 'x' }));`;
    expect(await node('esm.mjs', esm)).toBe('7');
    const cjs = `require('${NAME}').run({ root: '/', command: 'x' }).then((code) => console.log(code));`;
    expect(await node('cjs.cjs', cjs)).toBe('7');
  });

  it('is one library, however it is imported', async () => {
    const script = `
      import { createRequire } from 'node:module';
      import { LoadError, raw, VmError } from '${NAME}';
      const library = createRequire(import.meta.url)('${NAME}');
      console.log(library.VmError === VmError, library.LoadError === LoadError, library.raw === raw);`;
    expect(await node('one.mjs', script)).toBe('true true true');
  });

  it('loads the addon at the first touch, and keeps what the system says', async () => {
    const script = `
      import { LoadError, raw } from '${NAME}';
      try { raw.krunCreateCtx(); } catch (error) {
        console.log(error instanceof LoadError, error.code, error.cause.code);
      }
      await import('${NAME}/raw').catch((error) => console.log(error.code));`;
    expect(await node('raw.mjs', script)).toBe('true LOADER_DLOPEN ERR_DLOPEN_FAILED\nLOADER_DLOPEN');
  });

  it('takes its VMs with it', async () => {
    const script = `
      import { run } from '${NAME}';
      const vm = run({ root: '/', command: 'sleep' }, { stdio: 'ignore' });
      console.log(vm.pid);
      process.exit();`;
    const pid = Number(await node('exit.mjs', script));
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  it('exports from the module what it exports from CommonJS', async () => {
    const script = `
      import * as module from '${NAME}';
      import { createRequire } from 'node:module';
      const names = Object.keys(createRequire(import.meta.url)('${NAME}'));
      console.log(JSON.stringify([Object.keys(module).sort(), names.sort()]));`;
    const [module, commonjs] = JSON.parse(await node('names.mjs', script)) as [string[], string[]];
    expect(module).toEqual(['LoadError', 'VmError', 'explainExitCode', 'raw', 'run']);
    expect(commonjs).toEqual(module);
  });

  it('has declarations that hold for both', { timeout: 60_000 }, async () => {
    const use = [
      'const context: number = raw.krunCreateCtx();',
      '// @ts-expect-error there is no such function',
      'raw.krunNothing();',
      '// @ts-expect-error a field is misspelled',
      "run({ root: '/', comand: 'x' });",
      "const code: PromiseLike<number> = run({ root: '/', command: 'x' }, { stdout: process.stdout });",
      'void [context, code, KRUN_ONE satisfies 1, new VmError("LAUNCHER_CALL", "x").errno];',
    ].join('\n');
    await write(project, {
      'use.mts': `import { raw, run, VmError } from '${NAME}';\nimport { KRUN_ONE } from '${NAME}/raw';\n${use}\n`,
      'use.cts': `import library = require('${NAME}');\nimport all = require('${NAME}/raw');\nconst { raw, run, VmError } = library;\nconst { KRUN_ONE } = all;\n${use}\n`,
    });
    expect(typeErrors([join(project, 'use.mts'), join(project, 'use.cts')])).toEqual([]);
    expect(await readFile(join(packageFolder(NAME), 'index.d.ts'), 'utf8')).toContain('@throws {LoadError}');
  });
});

/** Whether the process is there and no zombie: nobody may be waiting for it any more. */
async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return status !== '' && !/^State:\s+Z/m.test(status);
}
