import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseOptions, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser';
import { afterEach, beforeEach, expect, it } from 'vitest';

const config = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as IFlattenedRuleSet;

/** For each rule a file that breaks it, and what that file imports. */
const VIOLATIONS: Readonly<Record<string, readonly [from: string, to: string]>> = {
  'no-circles': ['pipeline/plan/a.ts', './a.ts'],
  'nothing-imports-cli': ['pipeline/commands/a.ts', '../cli.ts'],
  'only-cli-imports-commands': ['pipeline/run/a.ts', '../commands/b.ts'],
  'steps-not-run': ['pipeline/steps/a.ts', '../run/b.ts'],
  'run-not-bindings': ['pipeline/run/a.ts', '../binary/b.ts'],
  'effects-import-plan-only': ['pipeline/effects/a.ts', '../steps/b.ts'],
  'plan-is-pure': ['pipeline/plan/a.ts', '../effects/b.ts'],
  'binary-is-pure': ['pipeline/binary/a.ts', '../effects/b.ts'],
  'bindings-are-pure': ['pipeline/bindings/emit-sys.ts', '../effects/b.ts'],
  'parser-not-steps': ['pipeline/bindings/header.ts', '../steps/b.ts'],
  'no-io-in-pure-code': ['pipeline/plan/a.ts', 'node:fs'],
  'only-view-imports-listr2': ['pipeline/run/a.ts', 'listr2'],
  'only-watch-imports-chokidar': ['pipeline/effects/a.ts', 'chokidar'],
  'only-http-imports-undici': ['pipeline/effects/a.ts', 'undici'],
  'only-archive-imports-tar': ['pipeline/effects/a.ts', 'tar'],
  'only-ci-imports-yaml': ['pipeline/plan/ci/files.ts', 'yaml'],
  'only-emit-dts-imports-ts-morph': ['pipeline/bindings/a.ts', 'ts-morph'],
  'only-napi-worker-imports-napi-cli': ['pipeline/steps/a.ts', '@napi-rs/cli'],
  'only-pin-writes-pins': ['pipeline/steps/a.ts', '../effects/pin-files.ts'],
  'nothing-imports-generated': ['pipeline/run/a.ts', '../../generated/b.ts'],
  'not-to-dev-tools': ['pipeline/run/a.ts', 'vitest'],
};

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rules-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it('has a planted violation for every rule', () => {
  expect(Object.keys(VIOLATIONS).sort()).toEqual(config.forbidden?.map((rule) => rule.name).sort());
});

it.each(Object.entries(VIOLATIONS))('%s bites', async (rule, [from, to]) => {
  plant(from, `import '${to}';\n`);
  if (to.startsWith('.') && join(dirname(from), to) !== from) plant(join(dirname(from), to), 'export {};\n');
  else if (!to.startsWith('node:') && !to.startsWith('.')) {
    plant(`node_modules/${to}/package.json`, JSON.stringify({ name: to, version: '1.0.0', main: 'index.js' }));
    plant(`node_modules/${to}/index.js`, '');
  }
  expect(await brokenRules()).toContain(rule);
});

it('is silent about imports that the architecture allows', async () => {
  plant('pipeline/steps/a.ts', "import '../plan/b.ts';\nimport '../effects/c.ts';\n");
  plant('pipeline/plan/b.ts', 'export {};\n');
  plant('pipeline/effects/c.ts', "import 'node:fs';\nimport '../plan/b.ts';\n");
  expect(await brokenRules()).toEqual([]);
});

function plant(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

async function brokenRules(): Promise<string[]> {
  const options: ICruiseOptions = {
    baseDir: root,
    validate: true,
    ruleSet: { forbidden: config.forbidden ?? [] },
    doNotFollow: { path: ['node_modules'] },
    tsPreCompilationDeps: true,
  };
  const { output } = await cruise(['pipeline'], options);
  return (output as ICruiseResult).summary.violations.map((violation) => violation.rule.name);
}
