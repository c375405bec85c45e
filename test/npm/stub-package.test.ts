import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAbi } from '../../pipeline/bindings/abi-schema.ts';
import { readArchive } from '../../pipeline/effects/archive.ts';
import { build } from '../../pipeline/index.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { assertPackage, auditTarball, type TarballExpectation } from '../../pipeline/steps/package/audit.ts';
import { ROOT_SIZE_LIMIT } from '../../pipeline/steps/package/expectations.ts';
import { rootManifest } from '../../pipeline/steps/package/manifests.ts';
import { makeFolder, REPOSITORY } from '../helpers/session.ts';
import { typeErrors } from '../helpers/type-check.ts';

const NAME = '@acme/libkrun';
const run = promisify(execFile);

let folder: ReturnType<typeof makeFolder>;
let tarball = '';
const at = (...parts: string[]): string => join(folder.path, ...parts);

/** npm with no registry that answers, and nothing of this user's configuration. */
const npm = (...args: string[]) =>
  run('npm', args, {
    cwd: at('consumer'),
    env: {
      PATH: process.env['PATH'],
      HOME: at('home'),
      npm_config_cache: at('npm-cache'),
      npm_config_registry: 'http://127.0.0.1:9',
      npm_config_fetch_retries: '0',
      npm_config_update_notifier: 'false',
    },
  });

/** Runs a script of the project that has the stub installed; its output, parsed. */
async function node(script: string, text: string): Promise<unknown> {
  writeFileSync(at('consumer', script), text);
  const { stdout } = await run(process.execPath, [at('consumer', script)]);
  return JSON.parse(stdout);
}

beforeAll(async () => {
  folder = makeFolder('stub package');
  for (const name of ['project', 'consumer', 'home']) mkdirSync(at(name));
  const config = { package: { name: NAME, version: '1.2.3' } };
  writeFileSync(at('project/a3s-build.config.json'), JSON.stringify(config));
  writeFileSync(at('consumer/package.json'), '{"name":"consumer","private":true}');
  const variables = { A3S_DEPS_STUB: '1', A3S_CACHE_DIR: at('store') };
  expect(await build({ cwd: at('project'), variables })).toMatchObject({ ok: true });
  tarball = at('project/build/stub/npm/acme-libkrun-1.2.3-stub.tgz');
  await npm('install', '--offline', '--no-audit', '--no-fund', tarball);
});
afterAll(() => folder.remove());

describe('an installed stub', () => {
  const tell = 'const tell = ({ name, code, message }) => ({ name, code, message });';

  it.each([
    ['esm.mjs', `import { raw, run } from '${NAME}';\nimport * as all from '${NAME}/raw';`],
    ['cjs.cjs', `const { raw, run } = require('${NAME}');\nconst all = require('${NAME}/raw');`],
  ])('throws from its functions, and has its constants, in %s', async (script, imports) => {
    const text = `${imports}
      ${tell}
      const thrown = (work) => { try { work(); } catch (error) { return tell(error); } };
      run({ root: '/', command: '/bin/true' }).exit.catch((error) => console.log(JSON.stringify({
        run: tell(error),
        call: thrown(() => raw.krunCreateCtx()),
        subpath: thrown(() => all.krunFreeCtx(0)),
        raw: thrown(() => raw.raw.krunStartEnter(0)),
        constants: [raw.KRUN_LOG_LEVEL_TRACE, all.KRUN_LOG_TARGET_DEFAULT],
      })));`;
    const code = 'ERR_LIBKRUN_STUB';
    const naming = (name: string): unknown => expect.stringMatching(new RegExp(`\\b${name}\\b.*A3S_DEPS_STUB`));
    expect(await node(script, text)).toEqual({
      run: { name: 'VmError', code, message: naming('run') },
      call: { name: 'Error', code, message: naming('krun_create_ctx') },
      subpath: { name: 'Error', code, message: naming('krun_free_ctx') },
      raw: { name: 'Error', code, message: naming('krun_start_enter') },
      constants: [5, -1],
    });
  });

  it('has every function and constant of the interface, and every function throws', async () => {
    const text = `
      const { raw } = require('${NAME}');
      const kinds = {};
      const look = (object) => {
        for (const [name, value] of Object.entries(object)) {
          if (typeof value === 'object') look(value);
          else if (typeof value !== 'function') kinds.constant = (kinds.constant ?? 0) + 1;
          else try { value(); kinds.returned = name; } catch ({ code }) { kinds[code] = (kinds[code] ?? 0) + 1; }
        }
      };
      look(raw);
      console.log(JSON.stringify(kinds));`;
    const [lock] = readAbi(readFileSync(join(REPOSITORY, 'generated/abi.json'), 'utf8')).interfaces;
    const { functions = [], constants = [], enums = [] } = lock ?? {};
    expect(await node('all.cjs', text)).toEqual({
      // And `loadLibrary`, which is the addon's own.
      ERR_LIBKRUN_STUB: functions.filter(({ node: offered }) => offered !== false).length + 1,
      constant: constants.length + enums.flatMap(({ values }) => values).length,
    });
  });

  it('has the declarations of a release, for a strict compiler', { timeout: 60_000 }, () => {
    const use = [
      'const context: number = raw.krunCreateCtx();',
      '// @ts-expect-error there is no such function',
      'raw.krunNothing();',
      "const code: PromiseLike<number> = run({ root: '/', command: 'x' }, { stdio: 'pipe' });",
      'const stub = (error: VmError): boolean => error.code === "ERR_LIBKRUN_STUB";',
      'void [context, code, stub, KRUN_LOG_LEVEL_TRACE satisfies 5];',
    ].join('\n');
    const [esm, cjs] = [at('consumer/use.mts'), at('consumer/use.cts')];
    writeFileSync(
      esm,
      `import { raw, run, type VmError } from '${NAME}';\nimport { KRUN_LOG_LEVEL_TRACE } from '${NAME}/raw';\n${use}`,
    );
    writeFileSync(
      cjs,
      `import library = require('${NAME}');\nimport all = require('${NAME}/raw');\nconst { raw, run } = library;\ntype VmError = library.VmError;\nconst { KRUN_LOG_LEVEL_TRACE } = all;\n${use}`,
    );
    expect(typeErrors([esm, cjs])).toEqual([]);
    for (const name of ['index.d.ts', 'index.d.cts', 'index.cjs', 'index.js']) {
      const installed = readFileSync(at('consumer/node_modules', NAME, name), 'utf8');
      expect(installed).toBe(readFileSync(join(REPOSITORY, 'dist/npm', name), 'utf8'));
    }
  });

  it('exports what a release exports', () => {
    const manifest = JSON.parse(readFileSync(at('consumer/node_modules', NAME, 'package.json'), 'utf8'));
    const release = rootManifest({ name: NAME, version: '1.2.3', targets: [TARGETS['linux-x64']] });
    for (const field of ['name', 'exports', 'main', 'types', 'type', 'engines']) {
      expect(manifest[field]).toEqual(release[field]);
    }
    expect(manifest).toMatchObject({ version: '1.2.3-stub', private: true, stub: true });
    expect(manifest).not.toHaveProperty('optionalDependencies');
  });
});

describe('a stub that somebody takes for a release', () => {
  // No dry run: npm looks at `private` only where it would upload. Nothing listens at this registry.
  it('is not published by npm, from the tarball or from its folder', async () => {
    for (const what of [tarball, at('consumer/node_modules', NAME)]) {
      const failed = await npm('publish', '--tag', 'next', '--//127.0.0.1:9/:_authToken=none', what).then(
        () => expect.unreachable('npm published it'),
        ({ stderr }: { stderr: string }) => stderr,
      );
      expect(failed).toContain('EPRIVATE');
    }
  });

  it.each(['root', 'platform'] as const)('is refused by the audit of a %s package', async (kind) => {
    const files = await readArchive(tarball, { bytes: 1e7, entries: 100 });
    const text = files.find(({ path }) => path === 'package/package.json')?.content.toString() ?? '';
    // All that the audit compares with is as in the tarball, so that nothing else is wrong with it.
    const expected: TarballExpectation = {
      kind,
      manifest: JSON.parse(text),
      modes: Object.fromEntries(files.map(({ path, mode }) => [path, mode])),
      binaries: {},
      forbiddenText: [],
      sizeLimit: ROOT_SIZE_LIMIT,
    };
    const findings = auditTarball({ files, size: readFileSync(tarball).length }, expected);
    expect(findings.filter(({ check }) => check === 'stub')).toHaveLength(4);
    expect(() => assertPackage(findings, tarball)).toThrow(
      expect.objectContaining({ code: 'A3S4001', message: expect.stringContaining('a stub cannot be released') }),
    );
    expect(auditTarball({ files, size: 1 }, { ...expected, kind: 'stub' })).toEqual([]);
  });
});
