/**
 * Who may import whom. Each rule has a planted violation in test/architecture that proves that it bites.
 * @type {import('dependency-cruiser').IConfiguration}
 */
const only = (name, comment, from, library) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^pipeline/', pathNot: from },
  to: { path: `node_modules/${library}/` },
});

const layer = (name, comment, from, to, pathNot) => ({
  name,
  comment,
  severity: 'error',
  from: pathNot === undefined ? { path: from } : { path: from, pathNot },
  to: { path: to },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'Modules that import each other cannot be understood one at a time.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    layer(
      'nothing-imports-cli',
      'cli.ts is the program; it is started, never imported.',
      '^pipeline/',
      '^pipeline/cli\\.ts$',
    ),
    layer(
      'only-cli-imports-commands',
      'Commands are the top: only the program and the functions for other programs use them.',
      '^pipeline/(?!commands/|cli\\.ts$|index\\.ts$)',
      '^pipeline/(commands/|index\\.ts$)',
    ),
    layer('steps-not-run', 'A step does not know the engine that runs it.', '^pipeline/steps/', '^pipeline/run/'),
    layer(
      'run-not-bindings',
      'The engine knows steps, plan and effects only.',
      '^pipeline/run/',
      '^pipeline/(bindings|binary)/',
    ),
    layer(
      'effects-import-plan-only',
      'Effects do things; what to do is decided elsewhere.',
      '^pipeline/effects/',
      '^pipeline/(steps|bindings|binary|run)/',
    ),
    layer(
      'plan-is-pure',
      'The plan is data: it is made without looking at anything.',
      '^pipeline/plan/',
      '^pipeline/(steps|bindings|binary|effects|run)/',
    ),
    layer(
      'binary-is-pure',
      'Readers of binaries get bytes and give data.',
      '^pipeline/binary/',
      '^pipeline/(steps|bindings|effects|run)/',
    ),
    layer(
      'bindings-are-pure',
      'Emitters get the intermediate form and give text; only the header parser may have effects.',
      '^pipeline/bindings/',
      '^pipeline/(steps|run|effects|binary)/',
      '^pipeline/bindings/(header\\.ts|libclang/)',
    ),
    layer(
      'parser-not-steps',
      'The header parser may use effects, and nothing above them.',
      '^pipeline/bindings/(header\\.ts|libclang/)',
      '^pipeline/(steps|run|binary)/',
    ),
    layer(
      'no-io-in-pure-code',
      'Pure code reads no files and starts no programs.',
      '^pipeline/(plan|binary)/|^pipeline/bindings/(ir|emit-[a-z]+|abi[a-z-]*|overrides)\\.ts$',
      '^(node:)?(fs|fs/promises|child_process|net|http|https|worker_threads)$',
    ),
    only('only-view-imports-listr2', 'One file draws on the terminal.', '^pipeline/run/view\\.ts$', 'listr2'),
    only(
      'only-watch-imports-chokidar',
      'One place waits for files to change.',
      '^pipeline/effects/watch\\.ts$',
      'chokidar',
    ),
    only('only-http-imports-undici', 'One place speaks to servers.', '^pipeline/effects/http[a-z-]*\\.ts$', 'undici'),
    only(
      'only-archive-imports-tar',
      'One place reads and writes archives.',
      '^pipeline/effects/archive[a-z-]*\\.ts$',
      'tar',
    ),
    only(
      'only-ci-imports-yaml',
      'Workflows are the only YAML that is written.',
      '^pipeline/plan/ci/emit\\.ts$',
      'yaml',
    ),
    only(
      'only-emit-dts-imports-ts-morph',
      'It takes half a second to load.',
      '^pipeline/bindings/emit-dts\\.ts$',
      'ts-morph',
    ),
    only(
      'only-napi-worker-imports-napi-cli',
      'It runs in a process of its own.',
      '^pipeline/steps/napi-build-worker\\.ts$',
      '@napi-rs/cli',
    ),
    layer(
      'only-pin-writes-pins',
      'The committed pins are the root of trust: one command writes them, when somebody asks for it.',
      '^pipeline/(?!commands/pin[a-z-]*\\.ts$)',
      '^pipeline/effects/pin-files\\.ts$',
    ),
    layer('nothing-imports-generated', 'generated/ is output.', '^(pipeline|native)/', '^generated/'),
    {
      name: 'not-to-dev-tools',
      comment: 'The program does not use what only its development needs.',
      severity: 'error',
      from: { path: '^pipeline/' },
      to: { path: 'node_modules/(vitest|esbuild|typescript|knip|dependency-cruiser)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
