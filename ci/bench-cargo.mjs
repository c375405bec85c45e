/**
 * Measures what users of the Rust crate wait for: `node ci/bench-cargo.mjs`, with a finished build in the store.
 * The two sides of a comparison take turns, and medians count, since machines are busy.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, ROOT, time } from './measure.mjs';

const ROUNDS = 31;
const TESTS_LIMIT_S = 10;
const NOOP_LIMIT_MS = 50;

const workspace = join(ROOT, 'test/cargo-workspace');
const cli = join(ROOT, 'dist/cli.cjs');
const folder = mkdtempSync(join(tmpdir(), 'a3s-bench-'));
try {
  benchStubTests();
  benchNoop();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** `cargo test` in stub mode, its dependency compiled, the crates themselves not. */
function benchStubTests() {
  const variables = { A3S_DEPS_STUB: '1', CARGO_NET_OFFLINE: 'true', CARGO_TARGET_DIR: join(folder, 'stub') };
  time('cargo', ['build', '--locked', '-p', 'libkrun-sys'], variables, workspace);
  const seconds = time('cargo', ['test', '--locked'], variables, workspace);
  const verdict = seconds < TESTS_LIMIT_S ? 'within' : 'ABOVE';
  console.log(`cargo test in stub mode: ${seconds.toFixed(2)} s (${verdict} ${TESTS_LIMIT_S} s)`);
}

/** A build with nothing to do, against one in which a Cargo configuration stands for the build script. */
function benchNoop() {
  const configuration = join(folder, 'config.toml');
  writeFileSync(configuration, execFileSync(process.execPath, [cli, 'link', '--format', 'config'], { cwd: ROOT }));
  const sides = [
    { args: ['build', '--locked'], variables: { A3S_BUILD_BIN: cli, CARGO_TARGET_DIR: join(folder, 'with') } },
    {
      args: ['build', '--locked', '--config', configuration],
      variables: { CARGO_TARGET_DIR: join(folder, 'without') },
    },
  ];
  const run = ({ args, variables }) => time('cargo', args, variables, workspace);
  for (const side of sides) run(side);
  const times = sides.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, side] of sides.entries()) times[index].push(run(side));
  }
  const [ours, peer] = times.map((values) => median(values) * 1000);
  const verdict = ours - peer < NOOP_LIMIT_MS ? 'within' : 'ABOVE';
  console.log(
    `cargo build with nothing to do: ${ours.toFixed(0)} ms · without the build script: ${peer.toFixed(0)} ms · ` +
      `it adds ${(ours - peer).toFixed(0)} ms (${verdict} ${NOOP_LIMIT_MS} ms)`,
  );
}
