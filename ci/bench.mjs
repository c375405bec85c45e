/**
 * Measures what users wait for, against the real peer, in one run: ratios are what counts, since machines differ.
 *
 *   npm run bench              everything; builds libkrun twice
 *   npm run bench -- quick     only the run with nothing to do, from the store that is there
 *   npm run bench -- bindings  only the check of the bindings against rust-bindgen
 *
 * Whole processes are timed. A command that fails voids the figures: the program ends with exit code 1.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchBindings } from './bench-bindings.mjs';
import { median, ROOT, time } from './measure.mjs';

const CLI = join(ROOT, 'dist/cli.cjs');
const TRIPLE = 'x86_64-unknown-linux-gnu';
const NOOP_ROUNDS = 15;

const folder = mkdtempSync(join(tmpdir(), 'a3s-bench-'));
const store = join(folder, 'store');
const out = join(folder, 'out');
const [only] = process.argv.slice(2);

try {
  if (only === 'bindings') {
    warmRegistries();
    await benchBindings(folder, join(folder, 'warm-store'));
  } else if (only === undefined) {
    warmRegistries();
    const tree = prepareTree();
    benchColdRun(tree);
    // Files changed within the last two seconds are hashed again by the next run: wait until it has nothing to do.
    spawnSync('sleep', ['3']);
    time('node', [CLI, '--out', out], { A3S_CACHE_DIR: store });
    benchNoop({ A3S_CACHE_DIR: store }, ['--out', out]);
    benchComments(tree);
    await benchBindings(folder, join(folder, 'warm-store'));
  } else if (only === 'quick') {
    time('node', [CLI], {});
    benchNoop({}, []);
  } else {
    throw new Error(`unknown part: ${only}; there are quick and bindings`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Fetches everything that both sides need, so that neither is charged for the network. */
function warmRegistries() {
  time('node', [CLI, '--only', 'source', '--out', join(folder, 'warm')], { A3S_CACHE_DIR: join(folder, 'warm-store') });
  time('cargo', ['fetch', '--locked', '--manifest-path', join(ROOT, 'native/Cargo.toml')], {});
  time('cargo', ['fetch', '--locked', '--manifest-path', join(ROOT, 'generated/napi/Cargo.toml')], {});
}

/** The source tree that a bare cargo build needs: with a compiled init, as its authors' own build makes it. */
function prepareTree() {
  const manifest = JSON.parse(readFileSync(join(folder, 'warm/linux-x64/manifest.json'), 'utf8'));
  const key = manifest.steps.find((step) => step.id === 'source').key;
  const tree = join(folder, 'tree');
  cpSync(join(folder, 'warm-store/v1/results/source', key, 'out'), tree, { recursive: true, verbatimSymlinks: true });
  time('cc', ['-O2', '-static', '-Wall', '-o', 'init', 'init.c'], {}, join(tree, 'init'));
  time('cargo', ['fetch', '--locked', '--target', TRIPLE], {}, tree);
  return tree;
}

/** Both sides from nothing but warm registries: no store, no compiler state. */
function benchColdRun(tree) {
  const bare = join(folder, 'bare');
  mkdirSync(bare);
  cpSync(tree, join(bare, 'tree'), { recursive: true, verbatimSymlinks: true });
  rmSync(join(tree, 'init/init'));
  const build = ['build', '--locked', '--release', '--target', TRIPLE, '-p', 'libkrun', '--features', 'net,blk'];
  const peer = time('cargo', build, { CARGO_TARGET_DIR: join(bare, 'target') }, join(bare, 'tree'));
  const ours = time('node', [CLI, '--out', out], { A3S_CACHE_DIR: store });
  print('cold run, all steps', ours, 'bare cargo build of libkrun', peer, 1.15);
  timeline();
}

function timeline() {
  const { steps } = JSON.parse(readFileSync(join(out, 'linux-x64/manifest.json'), 'utf8'));
  const end = Math.max(...steps.map((step) => step.startedAt / 1000 + step.seconds));
  for (const { id, startedAt, seconds } of steps) {
    const from = Math.round((startedAt / 1000 / end) * 50);
    const width = Math.max(1, Math.round((seconds / end) * 50));
    console.log(`  ${id.padEnd(10)} ${' '.repeat(from)}${'█'.repeat(width)} ${seconds.toFixed(1)} s`);
  }
}

function benchNoop(variables, args) {
  const ours = [];
  const peer = [];
  for (let round = 0; round < NOOP_ROUNDS; round++) {
    peer.push(time('node', ['-e', '0'], {}));
    ours.push(time('node', [CLI, ...args], variables));
  }
  print('nothing to do', median(ours), 'node -e 0', median(peer), 3);
}

/** Changed comments must compile nothing of libkrun. */
function benchComments(tree) {
  const args = [CLI, '--libkrun-dir', tree, '--out', out];
  time('node', args, { A3S_CACHE_DIR: store });
  for (const file of ['include/libkrun.h', 'init/init.c']) {
    appendFileSync(join(tree, file), '\n/* a comment */\n');
    const seconds = time('node', args, { A3S_CACHE_DIR: store });
    const { steps } = JSON.parse(readFileSync(join(out, 'linux-x64/manifest.json'), 'utf8'));
    const ran = steps.filter((step) => step.outcome === 'built').map((step) => step.id);
    console.log(`comment in ${file}: ${seconds.toFixed(2)} s, steps that ran: ${ran.join(', ')}`);
    if (ran.includes('libkrun')) throw new Error(`a comment in ${file} rebuilt libkrun`);
  }
}

function print(what, ours, peerName, peer, target) {
  const ratio = ours / peer;
  const verdict = ratio <= target ? 'within' : 'ABOVE';
  console.log(
    `${what}: ${ours.toFixed(3)} s · ${peerName}: ${peer.toFixed(3)} s · ratio ${ratio.toFixed(2)} (${verdict} ${target})`,
  );
}
