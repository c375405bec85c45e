import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../helpers/cli.ts';
import { makeFolder, REPOSITORY } from '../helpers/session.ts';

const PACKAGES = '.github/workflows/libkrun-packages.yml';

let folder: ReturnType<typeof makeFolder>;
let project: string;
beforeEach(() => {
  folder = makeFolder('ci');
  project = join(folder.path, 'project');
  mkdirSync(join(project, '.git'), { recursive: true });
  configure({ package: { name: '@acme/vm', version: '1.2.3' } });
  writeFileSync(join(project, 'package-lock.json'), '{}');
});
afterEach(() => folder.remove());

function configure(config: object): void {
  writeFileSync(join(project, 'a3s-build.config.json'), JSON.stringify(config));
}

const run = (...args: readonly string[]) =>
  runCli(args, { cwd: project, env: { A3S_CACHE_DIR: join(folder.path, 'store') } });

describe('a3s-build ci', () => {
  it('finds the workflows of this repository current', async () => {
    const { code, stderr } = await runCli(['ci', '--check'], { cwd: REPOSITORY });
    expect(stderr).toMatch(/the workflows are current\n$/);
    expect(code).toBe(0);
  });

  it('writes workflows that it then finds current, and writes nothing the second time', async () => {
    const first = await run('ci');
    expect(first.stderr).toContain(`wrote ${PACKAGES}`);
    expect(first.code).toBe(0);
    expect(readFileSync(join(project, PACKAGES), 'utf8')).toContain('build/npm/acme-vm-linux-x64-gnu-[0-9]*.tgz');
    expect((await run('ci', '--check')).code).toBe(0);
    expect((await run('ci')).stderr).toMatch(/the workflows are current\n$/);
  });

  it('exits with 2 and names what is missing, edited or made from another configuration, and writes nothing', async () => {
    const missing = await run('ci', '--check');
    expect(missing.stderr).toContain('A3S4020');
    expect(missing.code).toBe(2);
    expect(existsSync(join(project, '.github'))).toBe(false);
    await run('ci');
    appendFileSync(join(project, PACKAGES), '# by hand\n');
    const edited = await run('ci', '--check');
    expect(edited.code).toBe(2);
    expect(edited.stderr).toContain(PACKAGES);
    expect(edited.stderr).not.toContain('libkrun-release.yml');
    await run('ci');
    configure({ package: { name: '@acme/vm', version: '2.0.0-rc.1' } });
    const renewed = await run('ci', '--check');
    expect(renewed.stderr).toContain('libkrun-release.yml');
    expect(renewed.code).toBe(2);
  });

  it('takes line ends of another system for the same', async () => {
    await run('ci');
    const file = join(project, PACKAGES);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('\n', '\r\n'));
    expect((await run('ci', '--check')).code).toBe(0);
  });

  it('refuses a project without a lock file, and an output folder that a workflow cannot name', async () => {
    configure({ out: '../elsewhere' });
    const outside = await run('ci');
    expect(outside.stderr).toContain('A3S4021');
    expect(outside.code).toBe(78);
    configure({ out: 'b$(id)' });
    expect((await run('ci')).stderr).toContain('A3S4021');
    configure({});
    rmSync(join(project, 'package-lock.json'));
    const bare = await run('ci');
    expect(bare.stderr).toContain('package-lock.json');
    expect(bare.code).toBe(78);
  });

  it("warns of actions pinned by version only in the project's own pins, and below the root of a repository", async () => {
    const pins = JSON.parse(readFileSync(join(REPOSITORY, 'vendor/ci.json'), 'utf8'));
    pins.actions['actions/checkout'] = { version: 'v6' };
    mkdirSync(join(project, 'vendor'));
    writeFileSync(join(project, 'vendor/ci.json'), JSON.stringify(pins));
    rmSync(join(project, '.git'), { recursive: true });
    const { code, stderr } = await run('ci');
    expect(stderr).toContain('! actions/checkout@v6 is pinned by its version only');
    expect(stderr).toContain('! GitHub reads workflows at the root of a repository only');
    expect(code).toBe(0);
  });

  it('warns when npm would refuse to publish with provenance', async () => {
    expect((await run('ci')).stderr).toContain('"package.repository" is not configured');
    configure({ package: { repository: 'https://github.com/acme/vm' } });
    expect((await run('ci')).stderr).not.toContain('package.repository');
    configure({ package: { repository: 'git@github.com:acme/vm.git' } });
    expect((await run('ci')).stderr).toContain('A3S1101');
  });

  it('refuses pins that cannot be read', async () => {
    mkdirSync(join(project, 'vendor'));
    writeFileSync(join(project, 'vendor/ci.json'), '{"schema":1,"actions":{"x":1},"python":{}}');
    const { code, stderr } = await run('ci');
    expect(stderr).toContain('A3S1102');
    expect(code).toBe(78);
  });
});
