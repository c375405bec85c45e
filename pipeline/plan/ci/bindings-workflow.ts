import { CHECKOUT, readingJob, setup, upload } from './shared-steps.ts';
import type { Workflow } from './workflow.ts';

const NAME = 'libkrun bindings';
const ARTIFACT = 'bindings-report';
const REPORT = 'bindings.json';

/** `github.event` of the run whose report is posted. */
const RUN = 'github.event.workflow_run';

/** Checks the committed bindings; the pull request's own code runs here, so that nothing may be written. */
export function bindingsWorkflow(): Workflow {
  return {
    name: NAME,
    on: { pull_request: {}, push: { branches: ['main', 'master'] } },
    permissions: {},
    concurrency: { group: 'libkrun-bindings-${{ github.ref }}', 'cancel-in-progress': true },
    jobs: {
      check: readingJob('bindings are what the headers give', [
        CHECKOUT,
        setup(),
        { run: `npx a3s-build bindings --check=full --json > ${REPORT}` },
        {
          if: '${{ !cancelled() }}',
          run: `npx a3s-build bindings --report ${REPORT} >> "\${GITHUB_STEP_SUMMARY:-/dev/stdout}"`,
        },
        upload(ARTIFACT, REPORT, { if: '${{ !cancelled() }}' }),
      ]),
    },
  };
}

/**
 * Posts what the check found. It runs with the code of the default branch and takes one file of the pull request, as
 * data: a fork's pull request must never meet a token that can write.
 */
export function commentWorkflow(): Workflow {
  const fork = `${RUN}.head_repository.full_name != github.repository`;
  const owner = `format('{0}:{1}', ${RUN}.head_repository.owner.login, ${RUN}.head_branch)`;
  return {
    name: `${NAME}, comment`,
    on: { workflow_run: { workflows: [NAME], types: ['completed'] } },
    permissions: {},
    jobs: {
      comment: readingJob(
        'post the difference',
        [
          CHECKOUT,
          setup(),
          {
            uses: 'actions/download-artifact',
            with: {
              name: ARTIFACT,
              path: 'report',
              'run-id': `\${{ ${RUN}.id }}`,
              'github-token': '${{ github.token }}',
            },
          },
          { run: `npx a3s-build bindings --report report/${REPORT} > comment.md` },
          {
            run: 'gh pr comment "$PULL_REQUEST" --edit-last --create-if-none --body-file comment.md',
            env: {
              GH_TOKEN: '${{ github.token }}',
              PULL_REQUEST: `\${{ ${fork} && ${owner} || ${RUN}.head_branch }}`,
            },
          },
        ],
        {
          if: `${RUN}.event == 'pull_request' && ${RUN}.conclusion != 'cancelled'`,
          permissions: { actions: 'read', contents: 'read', 'pull-requests': 'write' },
          'timeout-minutes': 10,
        },
      ),
    },
  };
}
