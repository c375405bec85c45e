import type { LoadErrorCode } from './api.ts';

/** What the loader looks at of the system. */
export interface HostFacts {
  /** As in `process.platform` and `process.arch`. */
  readonly platform: string;
  readonly arch: string;
  /** Version of Node, without a leading v. */
  readonly node: string;
  /** Null where it is not known, and outside Linux. */
  readonly libc: 'glibc' | 'musl' | null;
  /** Version of glibc. */
  readonly glibc: string | null;
  readonly appleProcessor: boolean;
}

/** What the loader looks at of this release and of node_modules. */
export interface PackageFacts {
  readonly name: string;
  readonly version: string;
  /** Oldest version of Node. */
  readonly node: string;
  /** Name of the platform package by platform: `linux-x64`. */
  readonly platforms: Readonly<Record<string, string>>;
  /** Platforms whose package is in node_modules. */
  readonly installed: readonly string[];
  /** The package for this platform, if it is there; `glibc` is the oldest version that it runs on. */
  readonly own: { readonly version: string; readonly glibc: string | null } | null;
}

export interface Diagnosis {
  readonly code: LoadErrorCode;
  readonly message: string;
}

interface Situation extends PackageFacts {
  readonly host: HostFacts;
  readonly id: string;
}

interface Check {
  readonly code: LoadErrorCode;
  readonly applies: (situation: Situation) => boolean;
  readonly message: (situation: Situation) => string;
}

/** Systems that people ask for, with what to tell them. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  win32: "Windows is not supported. Inside WSL 2, install with WSL's own Node and npm.",
  'darwin-x64': 'Intel Macs are not supported; libkrun runs on Apple silicon.',
};

/** In this order: a check may rely on those before it not to apply. */
const CHECKS: readonly Check[] = [
  {
    code: 'LOADER_NODE_TOO_OLD',
    applies: ({ host, node }) => compareVersions(host.node, node) < 0,
    message: ({ host, name, node }) => `${name} needs Node ${node} or newer, and this is Node ${host.node}.`,
  },
  {
    code: 'LOADER_ROSETTA',
    applies: ({ host }) => host.platform === 'darwin' && host.arch === 'x64' && host.appleProcessor,
    message: () =>
      'This Node is built for Intel and runs on Apple silicon through Rosetta. Install Node for arm64, delete node_modules and install again.',
  },
  {
    code: 'LOADER_UNSUPPORTED_PLATFORM',
    applies: ({ id, platforms }) => !Object.hasOwn(platforms, id),
    message: ({ host, id, name, version, platforms }) =>
      UNSUPPORTED[host.platform] ??
      UNSUPPORTED[id] ??
      `${name} ${version} has no binaries for ${id}; it has them for ${Object.keys(platforms).join(', ')}.`,
  },
  {
    code: 'LOADER_MUSL',
    applies: ({ host }) => host.libc === 'musl',
    message: ({ name }) =>
      `The C library of this system is musl (Alpine Linux, for one), and the binaries of ${name} need glibc. Use an image that has it, such as node:20-slim.`,
  },
  {
    code: 'LOADER_OTHER_PLATFORM',
    applies: ({ own, installed }) => own === null && installed.length > 0,
    message: ({ id, installed }) =>
      `node_modules holds the binaries for ${installed.join(', ')}, and this is ${id}: it was installed on another system and copied (into a container, to WSL, from another machine). Delete node_modules and install here.`,
  },
  {
    code: 'LOADER_NOT_INSTALLED',
    applies: ({ own }) => own === null,
    message: ({ id, name, platforms }) =>
      `The package ${platforms[id]} is not installed. Either optional dependencies were left out (--omit=optional, --no-optional), or the lock file was written on another system by an npm that drops them: delete node_modules and package-lock.json, and run npm install without that option. A bundler must leave ${name} and ${platforms[id]} out of the bundle.`,
  },
  {
    code: 'LOADER_WRONG_VERSION',
    applies: ({ own, version }) => own !== null && own.version !== version,
    message: ({ id, name, version, own, platforms }) =>
      `${platforms[id]} has version ${own?.version}, and ${name} ${version} needs exactly its own. Delete node_modules and install again.`,
  },
  {
    code: 'LOADER_GLIBC_TOO_OLD',
    applies: ({ host, own }) =>
      host.glibc !== null && typeof own?.glibc === 'string' && compareVersions(host.glibc, own.glibc) < 0,
    message: ({ id, host, own, platforms }) =>
      `${platforms[id]} needs glibc ${own?.glibc} or newer, and this system has ${host.glibc}. Use a newer system, or build the package on this one.`,
  },
];

/** Why the binaries cannot work here; null when nothing speaks against them. Pure. */
export function diagnose(host: HostFacts, packages: PackageFacts): Diagnosis | null {
  const situation: Situation = { ...packages, host, id: `${host.platform}-${host.arch}` };
  const check = CHECKS.find(({ applies }) => applies(situation));
  return check === undefined ? null : { code: check.code, message: check.message(situation) };
}

/** Compares dotted numbers part by part; what follows a hyphen is ignored. */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [one, other].map((text) => (text.split('-')[0] ?? '').split('.').map(Number));
  for (let index = 0; index < 3; index += 1) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
