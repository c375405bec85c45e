import { parse } from 'yaml';
import type { CiPins } from '../../../pipeline/plan/ci/pins.ts';

type Entry = Readonly<Record<string, unknown>>;

/** A rule that was broken, and where. */
export interface LintFinding {
  readonly rule: Rule;
  readonly level: 'error' | 'warning';
  readonly where: string;
}

export type Rule =
  | 'pinned-by-tag'
  | 'unknown-action'
  | 'one-command'
  | 'no-template-in-command'
  | 'credentials-stay-out'
  | 'permissions-per-job'
  | 'no-write-for-strangers'
  | 'no-code-of-strangers'
  | 'identity-only-to-publish'
  | 'gate-before-publish'
  | 'root-package-last'
  | 'no-cache'
  | 'all-of-the-matrix'
  | 'no-empty-upload';

interface Job {
  readonly name: string;
  readonly content: Entry;
  readonly steps: readonly Entry[];
}

interface Subject {
  readonly triggers: readonly string[];
  readonly workflow: Entry;
  readonly jobs: readonly Job[];
  readonly steps: readonly { readonly where: string; readonly step: Entry; readonly job: Job | undefined }[];
  readonly pins: CiPins;
  /** The root package's tarball without version. */
  readonly root: string;
}

type Check = (subject: Subject) => readonly string[];

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const record = (value: unknown): Entry => (typeof value === 'object' && value !== null ? (value as Entry) : {});
const list = (value: unknown): readonly Entry[] => (Array.isArray(value) ? (value as Entry[]) : []);
const writes = (permissions: unknown): readonly string[] =>
  permissions === 'write-all'
    ? ['everything']
    : Object.entries(record(permissions)).flatMap(([name, level]) => (level === 'write' ? [name] : []));

/** Steps that `test` finds wrong. */
const stepsWhere =
  (test: (step: Entry, subject: Subject, job: Job | undefined) => boolean): Check =>
  (subject) =>
    subject.steps.filter(({ step, job }) => test(step, subject, job)).map(({ where }) => where);

const jobsWhere =
  (test: (job: Job, subject: Subject) => boolean): Check =>
  (subject) =>
    subject.jobs.filter((job) => test(job, subject)).map(({ name }) => name);

const uses = (step: Entry, action: string): boolean => text(step['uses']).startsWith(`${action}@`);
const publishes = (step: Entry): boolean => text(step['run']).includes('npm publish');

const CHECKS: Readonly<Record<Rule, Check>> = {
  'pinned-by-tag': stepsWhere((step, { pins }) => {
    const [name, ref] = text(step['uses']).split('@');
    return name !== undefined && ref !== undefined && ref === pins.actions[name]?.version;
  }),
  'unknown-action': stepsWhere((step, { pins }) => {
    const [name = '', ref] = text(step['uses']).split('@');
    if (name === '' || name.startsWith('./')) return false;
    const pin = pins.actions[name];
    return pin === undefined || (ref !== pin.version && !('commit' in pin && ref === pin.commit));
  }),
  'one-command': (subject) => commands(subject).flatMap(({ where, run }) => (isOneCommand(run) ? [] : [where])),
  'no-template-in-command': stepsWhere((step) =>
    [...text(step['run']).matchAll(/\$\{\{\s*(.*?)\s*\}\}/g)].some(([, name]) => !/^matrix\.\w+$/.test(name ?? '')),
  ),
  'credentials-stay-out': stepsWhere(
    (step) => uses(step, 'actions/checkout') && record(step['with'])['persist-credentials'] !== false,
  ),
  'permissions-per-job': (subject) => [
    ...(Object.keys(record(subject.workflow['permissions'])).length === 0 && 'permissions' in subject.workflow
      ? []
      : ['workflow']),
    ...jobsWhere(({ content }) => !('permissions' in content))(subject),
  ],
  'no-write-for-strangers': jobsWhere(
    ({ content }, { triggers }) =>
      triggers.some((trigger) => /^pull_request/.test(trigger)) && writes(content['permissions']).length > 0,
  ),
  'no-code-of-strangers': (subject) => [
    ...(subject.triggers.includes('pull_request_target') ? ['on'] : []),
    ...(subject.triggers.includes('workflow_run')
      ? stepsWhere((step) => uses(step, 'actions/checkout') && 'ref' in record(step['with']))(subject)
      : []),
  ],
  'identity-only-to-publish': jobsWhere(
    ({ content, steps }) => writes(content['permissions']).includes('id-token') && !steps.some(publishes),
  ),
  'gate-before-publish': jobsWhere(({ steps }) => {
    const publish = steps.findIndex(publishes);
    const gate = steps.findIndex(({ run }) => /a3s-build verify .*--publish .*--release .*--expect /.test(text(run)));
    return publish !== -1 && (gate === -1 || gate > publish);
  }),
  'root-package-last': jobsWhere(({ steps }, { root }) => {
    const all = steps.filter(publishes).map(({ run }) => text(run));
    return all.length > 0 && !all.at(-1)?.includes(`/${root}-[0-9]`);
  }),
  'no-cache': stepsWhere(
    (step) =>
      uses(step, 'actions/cache') ||
      (uses(step, 'actions/setup-node') && record(step['with'])['package-manager-cache'] !== false),
  ),
  'all-of-the-matrix': jobsWhere(
    ({ content }) => 'strategy' in content && record(content['strategy'])['fail-fast'] !== false,
  ),
  'no-empty-upload': stepsWhere(
    (step) => uses(step, 'actions/upload-artifact') && record(step['with'])['if-no-files-found'] !== 'error',
  ),
};

export const RULES = Object.keys(CHECKS) as readonly Rule[];

/** Holds a workflow, or an action of one's own, against the rules that no public linter has. */
export function lintWorkflow(yaml: string, pins: CiPins, root: string): readonly LintFinding[] {
  const workflow = record(parse(yaml));
  const jobs = Object.entries(record(workflow['jobs'])).map(([name, content]) => ({
    name,
    content: record(content),
    steps: list(record(content)['steps']),
  }));
  const own = list(record(workflow['runs'])['steps']).map((step, index) => ({
    where: `step ${index}`,
    step,
    job: undefined,
  }));
  const ofJobs = jobs.flatMap((job) =>
    job.steps.map((step, index) => ({ where: `${job.name}, step ${index}`, step, job })),
  );
  const steps = [...ofJobs, ...own];
  const subject: Subject = { triggers: Object.keys(record(workflow['on'])), workflow, jobs, steps, pins, root };
  // A job that only calls another workflow has no steps, and an action has no jobs and no permissions.
  const rules = own.length === 0 ? RULES : RULES.filter((rule) => rule !== 'permissions-per-job');
  return rules.flatMap((rule) =>
    CHECKS[rule](subject).map((where) => ({ rule, level: rule === 'pinned-by-tag' ? 'warning' : 'error', where })),
  );
}

/** Every command of the workflow, those that a matrix holds filled in. */
function commands({ steps }: Subject): readonly { readonly where: string; readonly run: string }[] {
  return steps.flatMap(({ where, step, job }) => {
    const run = text(step['run']);
    if (run === '') return [];
    const key = /^\$\{\{ matrix\.(\w+) \}\}$/.exec(run)?.[1];
    const rows = list(record(record(job?.content['strategy'])['matrix'])['include']);
    return key === undefined ? [{ where, run }] : rows.map((row) => ({ where, run: text(row[key]) }));
  });
}

/** Neither several lines nor several commands in one; what a substitution or a pipe needs is part of one. */
function isOneCommand(run: string): boolean {
  const outside = run.replaceAll(/"[^"]*"|'[^']*'/g, '""');
  return run.trim() !== '' && !/[\n;]|&&|\|\|/.test(outside);
}
