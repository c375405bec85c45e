import { GENERAL_RUNNER } from './runners.ts';
import type { WorkflowJob, WorkflowStep } from './workflow.ts';

/** Folder of the action that prepares a job; see `setup-action.ts`. */
const SETUP = './ci/setup';

/** The token does not stay in the checkout, where everything that the job runs could read it. */
export const CHECKOUT: WorkflowStep = {
  uses: 'actions/checkout',
  with: { submodules: 'recursive', 'persist-credentials': false },
};

/** Node and a3s-build, with zig or all cross tools where asked for. */
export function setup(tools: Readonly<Record<string, string | boolean>> = {}): WorkflowStep {
  return Object.keys(tools).length === 0 ? { uses: SETUP } : { uses: SETUP, with: tools };
}

/** A job on the general runner that may only read, unless `more` says otherwise. */
export function readingJob(
  name: string,
  steps: readonly WorkflowStep[],
  { needs, if: condition, ...more }: Partial<WorkflowJob> = {},
): WorkflowJob {
  return {
    name,
    ...(needs === undefined ? {} : { needs }),
    ...(condition === undefined ? {} : { if: condition }),
    'runs-on': GENERAL_RUNNER,
    permissions: { contents: 'read' },
    'timeout-minutes': 30,
    ...more,
    steps,
  };
}

export function upload(name: string, path: string, more: Pick<WorkflowStep, 'if'> = {}): WorkflowStep {
  return { ...more, uses: 'actions/upload-artifact', with: { name, path, 'if-no-files-found': 'error' } };
}

export function download(name: string, path: string): WorkflowStep {
  return { uses: 'actions/download-artifact', with: { name, path } };
}

/** Downloads all artifacts whose names match into one folder. */
export function downloadAll(pattern: string, path: string): WorkflowStep {
  return { uses: 'actions/download-artifact', with: { pattern, path, 'merge-multiple': true } };
}
