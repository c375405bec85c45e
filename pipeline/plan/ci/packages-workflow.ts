import { TARGETS } from '../targets.ts';
import { CROSS_FLAGS, RUNNERS } from './runners.ts';
import { CHECKOUT, download, downloadAll, readingJob, setup, upload } from './shared-steps.ts';
import type { CiProject, Workflow, WorkflowJob } from './workflow.ts';

/** Artifact with every tarball of a release, and the folder that it is made in. */
export const PACKAGES = 'packages';

/** The script that checks what only a Mac can show. */
export const MAC_CHECK = 'ci/check-on-mac.sh';

/** Long enough for a slow runner, too short for one that hangs. */
const BUILD_MINUTES = 90;

/** Builds the packages of every target where it is native and crosswise, compares them, and makes the root package. */
export function packagesWorkflow(project: CiProject): Workflow {
  return {
    name: 'libkrun packages',
    on: {
      push: { branches: ['main', 'master'] },
      pull_request: {},
      workflow_dispatch: {},
      workflow_call: {
        outputs: {
          'root-integrity': {
            description: "Digest of the root package's tarball",
            value: '${{ jobs.root.outputs.integrity }}',
          },
        },
      },
    },
    permissions: {},
    concurrency: {
      group: 'libkrun-packages-${{ github.workflow }}-${{ github.ref }}',
      'cancel-in-progress': "${{ github.event_name == 'pull_request' }}",
    },
    jobs: {
      workflows: readingJob('workflows are current', [CHECKOUT, setup(), { run: 'npx a3s-build ci --check' }]),
      native: nativeJob(project),
      cross: crossJob(),
      root: rootJob(project),
      mac: macJob(),
    },
  };
}

function nativeJob({ out, platforms }: CiProject): WorkflowJob {
  const include = Object.values(TARGETS).map(({ id }) => {
    const { label, flags, zig } = RUNNERS[id];
    return {
      target: id,
      runner: label,
      zig,
      build: ['npx a3s-build --target', id, flags].filter((word) => word !== '').join(' '),
      tarball: `${out}/npm/${platforms[id]}-[0-9]*.tgz`,
    };
  });
  return {
    name: '${{ matrix.target }}',
    'runs-on': '${{ matrix.runner }}',
    permissions: { contents: 'read' },
    strategy: { 'fail-fast': false, matrix: { include } },
    'timeout-minutes': BUILD_MINUTES,
    steps: [
      CHECKOUT,
      setup({ zig: '${{ matrix.zig }}' }),
      { run: '${{ matrix.build }}' },
      upload(`${PACKAGES}-\${{ matrix.target }}`, '${{ matrix.tarball }}'),
    ],
  };
}

function crossJob(): WorkflowJob {
  return readingJob(
    'all targets from one machine, compared with the native ones',
    [
      CHECKOUT,
      setup({ zig: true, cross: true }),
      { run: `npx a3s-build --target all ${CROSS_FLAGS} --out cross` },
      upload('cross', 'cross/npm/*.tgz'),
      download(PACKAGES, 'native'),
      { run: 'npx a3s-build compare native cross/npm --layout' },
    ],
    { needs: ['root'], 'timeout-minutes': BUILD_MINUTES },
  );
}

function rootJob({ root }: CiProject): WorkflowJob {
  const digest = `openssl dgst -sha512 -binary ${PACKAGES}/${root}-[0-9]*.tgz | base64 --wrap=0`;
  return readingJob(
    'root package',
    [
      CHECKOUT,
      setup(),
      downloadAll(`${PACKAGES}-*`, PACKAGES),
      { run: `npx a3s-build package --root --from ${PACKAGES} --out ${PACKAGES}` },
      { run: `npx a3s-build verify ${PACKAGES}` },
      { id: 'digest', run: `echo "integrity=sha512-$(${digest})" >> "\${GITHUB_OUTPUT:-/dev/stdout}"` },
      upload(PACKAGES, `${PACKAGES}/*.tgz`),
    ],
    { needs: ['native'], outputs: { integrity: '${{ steps.digest.outputs.integrity }}' } },
  );
}

/** What no other system can show: the loader and the signatures on the real thing. */
function macJob(): WorkflowJob {
  return readingJob(
    'the packages on a Mac',
    [
      CHECKOUT,
      setup(),
      download(PACKAGES, PACKAGES),
      { run: `npx a3s-build verify ${PACKAGES}` },
      { run: `sh ${MAC_CHECK} ${PACKAGES}` },
    ],
    { needs: ['root'], 'runs-on': RUNNERS['darwin-arm64'].label },
  );
}
