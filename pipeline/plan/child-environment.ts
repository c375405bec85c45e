type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Variables that child processes may see: where tools and homes are, and what a desktop system needs to find its
 * compiler. Everything else is dropped: RUSTFLAGS, RUSTC_WRAPPER, MAKEFLAGS, LD_PRELOAD, NODE_OPTIONS and the like
 * change results without being part of any digest, and secrets are nobody's business.
 */
const PASSED = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'CARGO_HOME',
  'RUSTUP_HOME',
  'RUSTUP_TOOLCHAIN',
  'SDKROOT',
  'DEVELOPER_DIR',
]);

/** What a program needs to reach servers. Proxies and registries may hold credentials: no compiler sees them. */
const NETWORK = /^(SSL_CERT_(FILE|DIR)|(HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy|CARGO_(NET|HTTP|REGISTRIES)_.*)$/;

/** The environment of a child process: what may pass, then `forced`. Messages are asked for in English. */
export function childEnvironment(
  variables: Variables,
  forced: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return { ...pick(variables, (name) => PASSED.has(name)), LC_ALL: 'C', ...forced };
}

function pick(variables: Variables, wanted: (name: string) => boolean): Record<string, string> {
  const entries = Object.entries(variables).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && wanted(entry[0]),
  );
  return Object.fromEntries(entries);
}

/** The environment of this program itself, for what stands in for a call by its user. */
export function wholeEnvironment(variables: Variables): Record<string, string> {
  return pick(variables, () => true);
}

/** The environment of a program that reaches servers by the user's own settings. */
export function networkEnvironment(variables: Variables): Record<string, string> {
  return childEnvironment(
    variables,
    pick(variables, (name) => NETWORK.test(name)),
  );
}

/** The environment of cargo where it only fetches or describes. */
export function cargoQueryEnvironment(variables: Variables, offline: boolean): Record<string, string> {
  return childEnvironment(variables, {
    ...pick(variables, (name) => NETWORK.test(name)),
    ...NO_WRAPPERS,
    CARGO_TERM_COLOR: 'never',
    ...(offline ? { CARGO_NET_OFFLINE: 'true' } : {}),
  });
}

/** Where pkg-config looks. */
const PKG_CONFIG = new Set(['PKG_CONFIG_PATH', 'PKG_CONFIG_LIBDIR', 'PKG_CONFIG_SYSROOT_DIR']);

/** The environment of pkg-config, which then names folders of the system too. */
export function pkgConfigEnvironment(variables: Variables): Record<string, string> {
  return childEnvironment(variables, {
    ...pick(variables, (name) => PKG_CONFIG.has(name)),
    PKG_CONFIG_ALLOW_SYSTEM_LIBS: '1',
  });
}

/** Empty, not absent: only that outweighs `build.rustc-wrapper` of a configuration file. */
const NO_WRAPPERS = { RUSTC_WRAPPER: '', RUSTC_WORKSPACE_WRAPPER: '' };

/**
 * The environment of `cargo build`: nothing that a project or user configuration sets may change the result. Build
 * scripts are other people's programs, so there is no network and no credential; the crates were fetched before.
 */
export function cargoEnvironment(
  variables: Variables,
  build: { readonly triple: string; readonly rustflags: readonly string[] },
): Record<string, string> {
  return childEnvironment(variables, {
    CARGO_BUILD_TARGET: build.triple,
    CARGO_ENCODED_RUSTFLAGS: build.rustflags.join('\x1f'),
    ...NO_WRAPPERS,
    CARGO_INCREMENTAL: '0',
    CARGO_PROFILE_RELEASE_DEBUG: 'false',
    CARGO_PROFILE_RELEASE_STRIP: 'symbols',
    CARGO_TERM_COLOR: 'never',
    CARGO_TERM_PROGRESS_WHEN: 'always',
    CARGO_TERM_PROGRESS_WIDTH: '100',
    CARGO_NET_OFFLINE: 'true',
  });
}
