import type { CiPins } from './pins.ts';
import { CROSS_TRIPLES } from './runners.ts';
import type { CompositeAction, WorkflowStep } from './workflow.ts';

/** Trusted publishing needs npm 11.5.1, which comes with Node 24. */
const NODE = '24';

/** Signs Mach-O files on Linux. */
const RCODESIGN = '0.29.0';

const ZIG = "inputs.zig == 'true'";
const CROSS = "inputs.cross == 'true'";

/** Where zig and cargo-zigbuild lie, linked from where cargo's own programs are: the system's Python takes no packages. */
const PYTHON = '$HOME/.a3s-build/python';

/** The steps that every job begins with. */
export function setupAction(requirements: string): CompositeAction {
  return {
    name: 'Set up a3s-build',
    description: 'Node, the packages of package-lock.json, and what else the job builds with',
    inputs: {
      zig: { description: 'zig and cargo-zigbuild, to link against an old glibc', default: 'false' },
      cross: { description: 'what builds the other targets on Linux', default: 'false' },
    },
    runs: {
      using: 'composite',
      steps: [
        { uses: 'actions/setup-node', with: { 'node-version': NODE, 'package-manager-cache': false } },
        command('npm ci'),
        command(
          `python3 -m pip install --quiet --require-hashes --no-deps --target "${PYTHON}" --requirement ${requirements}`,
          ZIG,
        ),
        command(`ln -sf "${PYTHON}/bin/cargo-zigbuild" "${PYTHON}/ziglang/zig" "$HOME/.cargo/bin/"`, ZIG),
        command(`rustup target add ${CROSS_TRIPLES.join(' ')}`, CROSS),
        command('sudo apt-get update --quiet', CROSS),
        command('sudo apt-get install --quiet --yes clang lld llvm', CROSS),
        command(`cargo install apple-codesign --version ${RCODESIGN} --locked`, CROSS),
      ],
    },
  };
}

function command(run: string, condition?: string): WorkflowStep {
  return { ...(condition === undefined ? {} : { if: condition }), run, shell: 'bash' };
}

/** The requirements file of pip for what is pinned: it installs these files and no others. */
export function zigRequirements({ python }: Pick<CiPins, 'python'>): string {
  const lines = Object.entries(python).map(([name, { version, files }]) =>
    [`${name}==${version}`, ...Object.values(files).map((digest) => `--hash=sha256:${digest}`)].join(' \\\n    '),
  );
  return `${lines.join('\n')}\n`;
}
