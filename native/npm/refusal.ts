import type { Diagnosis, HostFacts } from './diagnosis.ts';

interface Refusal {
  /** What the dynamic loader says; a group holds the name of what is meant. */
  readonly says: RegExp;
  readonly code: Diagnosis['code'];
  readonly message: (name: string, packageName: string, host: HostFacts) => string;
}

/** What dynamic loaders say when they refuse the addon; the first that fits counts. */
const REFUSALS: readonly Refusal[] = [
  {
    says: /version `GLIBC_([\d.]+)' not found/,
    code: 'LOADER_GLIBC_TOO_OLD',
    message: (version, packageName, { glibc }) =>
      `${packageName} needs glibc ${version} or newer, and this system has ${glibc ?? 'an older one'}. Use a newer system, or build the package on this one.`,
  },
  {
    // musl's loader, where nothing else told that it is musl.
    says: /Error loading shared library (ld-linux-[\w.-]+)/,
    code: 'LOADER_MUSL',
    message: (name, packageName) =>
      `${packageName} needs glibc, whose ${name} is not here: the C library of this system is musl (Alpine Linux, for one). Use an image that has glibc, such as node:20-slim.`,
  },
  {
    says: /([\w.+-]+\.(?:so[.\d]*|dylib)): cannot open shared object file|(?:Error loading shared library|Library not loaded:) ([^\s:]+)/,
    code: 'LOADER_DLOPEN',
    message: (name, packageName) =>
      `The addon of ${packageName} needs the library ${name}, which this system does not have. Install the package of your system that holds it.`,
  },
  {
    says: /undefined symbol: (napi_\w+|node_api_\w+)|symbol not found[^:]*: _?(napi_\w+|node_api_\w+)/i,
    code: 'LOADER_DLOPEN',
    message: (name, packageName) =>
      `The addon of ${packageName} needs the function ${name} of Node-API, which this runtime does not offer. Use a newer one.`,
  },
  {
    says: /(failed to map segment|Operation not permitted)/,
    code: 'LOADER_DLOPEN',
    message: (_name, packageName) =>
      `The system does not allow to run code from where ${packageName} is installed; a file system mounted with noexec, perhaps. Install it elsewhere.`,
  },
  {
    says: /(code signature|library load disallowed|different Team IDs)/i,
    code: 'LOADER_DLOPEN',
    message: (_name, packageName) =>
      `macOS refuses the signature of ${packageName}'s addon. Delete node_modules and install again; an application with the hardened runtime needs the entitlement com.apple.security.cs.disable-library-validation.`,
  },
  {
    says: /(invalid ELF header|file too short|wrong ELF class|ELF load command|not a mach-o file|incompatible architecture|no suitable image)/i,
    code: 'LOADER_DLOPEN',
    message: (what, packageName) =>
      `The addon of ${packageName} is damaged, or for another processor (${what}). Delete node_modules and install again.`,
  },
];

/** What it means that the system refused to load the addon, from its own words. Pure. */
export function explainRefusal(reason: string, packageName: string, host: HostFacts): Diagnosis {
  for (const { says, code, message } of REFUSALS) {
    const found = says.exec(reason);
    const name = found?.slice(1).find((group) => group !== undefined);
    if (name !== undefined) return { code, message: `${message(name, packageName, host)} (${reason})` };
  }
  return { code: 'LOADER_DLOPEN', message: `The addon of ${packageName} cannot be loaded: ${reason}` };
}
