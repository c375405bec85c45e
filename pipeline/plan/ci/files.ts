import { bindingsWorkflow, commentWorkflow } from './bindings-workflow.ts';
import { emitYaml } from './emit.ts';
import { MAC_CHECK, packagesWorkflow } from './packages-workflow.ts';
import type { CiPins } from './pins.ts';
import { releaseWorkflow } from './release-workflow.ts';
import { setupAction, zigRequirements } from './setup-action.ts';
import type { CiProject } from './workflow.ts';

const WORKFLOWS = '.github/workflows';
const PACKAGES_FILE = 'libkrun-packages.yml';
const REQUIREMENTS = 'ci/setup/zig.txt';

/**
 * Everything that `a3s-build ci` writes: text by path below the repository's root. Pure, the same everywhere.
 * @param macCheck Text of the script that checks what only a Mac can show.
 */
export function ciFiles(project: CiProject, pins: CiPins, macCheck: string): Readonly<Record<string, string>> {
  return {
    [`${WORKFLOWS}/${PACKAGES_FILE}`]: emitYaml(packagesWorkflow(project), pins),
    [`${WORKFLOWS}/libkrun-release.yml`]: emitYaml(releaseWorkflow(project, PACKAGES_FILE), pins),
    [`${WORKFLOWS}/libkrun-bindings.yml`]: emitYaml(bindingsWorkflow(), pins),
    [`${WORKFLOWS}/libkrun-bindings-comment.yml`]: emitYaml(commentWorkflow(), pins),
    'ci/setup/action.yml': emitYaml(setupAction(REQUIREMENTS), pins),
    [REQUIREMENTS]: zigRequirements(pins),
    [MAC_CHECK]: macCheck,
  };
}
