/** The parts of GitHub's workflow syntax that are written; the lint checks them against the whole of it. */
export interface WorkflowStep {
  readonly name?: string;
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | boolean>>;
  /** One command, which a person can type as well. */
  readonly run?: string;
  readonly shell?: 'bash';
  readonly env?: Readonly<Record<string, string>>;
}

export type Permissions = Readonly<Record<string, 'read' | 'write'>>;

export interface WorkflowJob {
  readonly name?: string;
  readonly needs?: readonly string[];
  readonly if?: string;
  readonly uses?: string;
  readonly 'runs-on'?: string;
  readonly environment?: string;
  readonly permissions: Permissions;
  readonly strategy?: {
    readonly 'fail-fast': boolean;
    readonly matrix: { readonly include: readonly Readonly<Record<string, string | boolean>>[] };
  };
  readonly 'timeout-minutes'?: number;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps?: readonly WorkflowStep[];
}

export interface Workflow {
  readonly name: string;
  readonly on: Readonly<Record<string, object>>;
  readonly permissions: Permissions;
  readonly concurrency?: { readonly group: string; readonly 'cancel-in-progress': string | boolean };
  readonly jobs: Readonly<Record<string, WorkflowJob>>;
}

/** An action of the repository's own: steps that several jobs share. */
export interface CompositeAction {
  readonly name: string;
  readonly description: string;
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default: string }>>;
  readonly runs: { readonly using: 'composite'; readonly steps: readonly WorkflowStep[] };
}

/** What the workflows depend on of the project. */
export interface CiProject {
  /** The project's output folder, relative to its root. */
  readonly out: string;
  /** The root package's tarball without version and ending: `acme-libkrun`. */
  readonly root: string;
  /** The same for the platform packages, by target. */
  readonly platforms: Readonly<Record<string, string>>;
  /** The tag under which npm lists the release: `latest`, or `next` for a version with a hyphen. */
  readonly distTag: string;
}
