type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Variables that child processes may see: where tools and homes are, how to reach the network, and what a desktop
 * system needs to find its compiler. Everything else is dropped (RUSTFLAGS, RUSTC_WRAPPER, MAKEFLAGS, LD_PRELOAD,
 * NODE_OPTIONS and the like change results without being part of any digest).
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
  'RUSTUP_DIST_SERVER',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'SDKROOT',
  'DEVELOPER_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
]);

/** Cargo's own settings for networks and registries; its settings for compiling are not passed. */
const PASSED_PREFIXES = ['CARGO_NET_', 'CARGO_HTTP_', 'CARGO_REGISTRY_', 'CARGO_REGISTRIES_'];

/** The environment of a child process: what may pass, then `forced`. Messages are asked for in English. */
export function childEnvironment(
  variables: Variables,
  forced: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const passed = Object.entries(variables).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (PASSED.has(entry[0]) || PASSED_PREFIXES.some((prefix) => entry[0].startsWith(prefix))),
  );
  return { ...Object.fromEntries(passed), LC_ALL: 'C', ...forced };
}

/** The environment of cargo where it only fetches or describes. */
export function cargoQueryEnvironment(variables: Variables, offline: boolean): Record<string, string> {
  return childEnvironment(variables, {
    ...NO_WRAPPERS,
    CARGO_TERM_COLOR: 'never',
    ...(offline ? { CARGO_NET_OFFLINE: 'true' } : {}),
  });
}

/** Empty, not absent: only that outweighs `build.rustc-wrapper` of a configuration file. */
const NO_WRAPPERS = { RUSTC_WRAPPER: '', RUSTC_WORKSPACE_WRAPPER: '' };

/** The environment of `cargo build`: nothing that a project or user configuration sets may change the result. */
export function cargoEnvironment(
  variables: Variables,
  build: { readonly triple: string; readonly rustflags: readonly string[]; readonly offline: boolean },
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
    ...(build.offline ? { CARGO_NET_OFFLINE: 'true' } : {}),
  });
}
