import { PACKAGES } from './packages-workflow.ts';
import { CHECKOUT, download, readingJob, setup } from './shared-steps.ts';
import type { CiProject, Workflow, WorkflowStep } from './workflow.ts';

/**
 * Publishes the packages of a tag: platform packages first, so that whoever gets the root package finds them. Nothing is
 * taken from a cache, and the tarballs are the ones that the gate has just passed, of the version that the tag names.
 *
 * @param packagesFile File name of the workflow that makes the packages.
 */
export function releaseWorkflow(project: CiProject, packagesFile: string): Workflow {
  const gate = `npx a3s-build verify ${PACKAGES} --publish --release "$GITHUB_REF_NAME" --expect "$ROOT_INTEGRITY"`;
  return {
    name: 'libkrun release',
    on: { push: { tags: ['v[0-9]+.[0-9]+.[0-9]+*'] } },
    permissions: {},
    concurrency: { group: 'libkrun-release', 'cancel-in-progress': false },
    jobs: {
      packages: { permissions: { contents: 'read' }, uses: `./.github/workflows/${packagesFile}` },
      publish: readingJob(
        'publish',
        [
          CHECKOUT,
          setup(),
          download(PACKAGES, PACKAGES),
          { name: 'Gate', run: gate, env: { ROOT_INTEGRITY: '${{ needs.packages.outputs.root-integrity }}' } },
          ...[...Object.values(project.platforms), project.root].map((name) => publish(name, project.distTag)),
        ],
        {
          needs: ['packages'],
          environment: 'npm',
          permissions: { contents: 'read', 'id-token': 'write' },
        },
      ),
    },
  };
}

function publish(name: string, tag: string): WorkflowStep {
  return {
    name: `Publish ${name}`,
    run: `npm publish ./${PACKAGES}/${name}-[0-9]*.tgz --provenance --access public --tag ${tag}`,
  };
}
