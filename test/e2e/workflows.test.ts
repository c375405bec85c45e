import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { $ } from 'zx';
import { makeFolder, REPOSITORY } from '../helpers/session.ts';

/** Programs that ci/install-workflow-lint.sh installs. */
const BIN = join(process.env['A3S_WORKFLOW_LINT'] ?? join(tmpdir(), 'a3s-workflow-lint'), 'bin');
const WORKFLOWS = join(REPOSITORY, '.github/workflows');
const ACTION = join(REPOSITORY, 'ci/setup/action.yml');
const CONFIG = join(REPOSITORY, '.github/zizmor.yml');
const RELEASE = join(WORKFLOWS, 'libkrun-release.yml');

let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder('workflows');
});
afterEach(() => folder.remove());

const run = (...command: readonly string[]) => $({ nothrow: true, cwd: folder.path })`${command}`;

/** The release workflow with one change. */
function changed(from: string, to: string): string {
  const file = join(folder.path, 'changed.yml');
  const text = readFileSync(RELEASE, 'utf8');
  writeFileSync(file, text.replace(from, to));
  expect(readFileSync(file, 'utf8')).not.toBe(text);
  return file;
}

describe('zizmor', () => {
  const lint = (...paths: readonly string[]) =>
    run(join(BIN, 'zizmor'), '--offline', '--no-progress', '--config', CONFIG, ...paths);

  it('finds nothing in the workflows and the action of this repository', async () => {
    const { exitCode, stdout, stderr } = await lint(WORKFLOWS, ACTION);
    expect(exitCode, stdout + stderr).toBe(0);
  });

  it('finds text of a pull request in a command', async () => {
    const { exitCode, stdout } = await lint(changed('"$ROOT_INTEGRITY"', '${{ github.head_ref }}'));
    expect(stdout).toContain('template-injection');
    expect(exitCode).not.toBe(0);
  });
});

describe("GitHub's schemas", () => {
  const check = (schema: string, ...files: readonly string[]) =>
    run(join(BIN, 'check-jsonschema'), '--builtin-schema', `vendor.${schema}`, ...files);

  it('accept the workflows and the action of this repository', async () => {
    const names = ['packages', 'release', 'bindings', 'bindings-comment'];
    const files = names.map((name) => join(WORKFLOWS, `libkrun-${name}.yml`));
    const workflows = await check('github-workflows', ...files);
    expect(workflows.exitCode, workflows.stdout).toBe(0);
    const action = await check('github-actions', ACTION);
    expect(action.exitCode, action.stdout).toBe(0);
  });

  it('refuse a permission that does not exist', async () => {
    const { exitCode, stdout } = await check('github-workflows', changed('id-token: write', 'id-tokens: write'));
    expect(exitCode, stdout).toBe(1);
  });
});
