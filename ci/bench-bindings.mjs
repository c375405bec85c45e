/**
 * Measures `bindings --check` against rust-bindgen with rustfmt: whole processes on the same headers, by turns in one run.
 * Each finds its libclang as it does for its users; then both are told where it lies (`LIBCLANG_PATH`). The check
 * compares three targets, three languages and a lock; bindgen writes one file for one target.
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { transform } from 'esbuild';
import { median, ROOT } from './measure.mjs';

const BINDGEN = join(process.env.A3S_BINDGEN ?? join(tmpdir(), 'a3s-bindgen'), 'bin/bindgen');
const LIBCLANG = '/usr/lib/llvm-14/lib';
const HEADERS = ['libkrun.h', 'libkrun_display.h', 'libkrun_input.h'];
const ROUNDS = 15;
/** Rounds before those, which fill the system's caches and in which memory is looked at every so many milliseconds. */
const MEMORY_ROUNDS = 3;
const LOOK = 2;

const AIMS = { native: 1, embedded: 7, nativeMb: 160, embeddedMb: 300 };

/**
 * @param folder for temporary files @param store a store that holds the source step's result
 * @throws Error for a command that fails: no figure of such a run counts.
 */
export async function benchBindings(folder, store) {
  if (!existsSync(BINDGEN)) throw new Error(`${BINDGEN} is missing: run ci/install-bindgen.sh`);
  const project = join(folder, 'bindings-project');
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'a3s-build.config.json'), '{}');
  cpSync(join(ROOT, 'generated'), join(project, 'generated'), { recursive: true });

  const check = (cli) => ({ args: [process.execPath, cli, 'bindings', '--check'], cwd: project });
  const native = check(join(ROOT, 'dist/cli.cjs'));
  const embedded = check(withoutNative(join(folder, 'without-native')));
  const peer = { args: [BINDGEN, ...(await bindgenArguments(folder, sourceHeaders(store)))], cwd: project };
  const found = await measure({ native, embedded, peer }, { A3S_CACHE_DIR: store });
  const told = await measure({ native, peer }, { A3S_CACHE_DIR: store, LIBCLANG_PATH: LIBCLANG });

  ratio('check, libclang of the system', found.native, found.peer, AIMS.native);
  ratio('check, embedded libclang', found.embedded, found.peer, AIMS.embedded);
  ratio('check, both told LIBCLANG_PATH', told.native, told.peer, AIMS.native);
  if (process.env.NODE_EXTRA_CA_CERTS !== undefined) {
    // Node 20 reads these certificates at every start, although nothing is fetched.
    const plain = await measure({ native, peer }, { A3S_CACHE_DIR: store, NODE_EXTRA_CA_CERTS: undefined });
    ratio('check, without the NODE_EXTRA_CA_CERTS of this machine', plain.native, plain.peer, AIMS.native);
  }
  memory('check, libclang of the system', found.native, AIMS.nativeMb);
  memory('check, embedded libclang', found.embedded, AIMS.embeddedMb);
}

/** The program in a folder of its own, installed without the optional package that calls shared libraries. */
function withoutNative(folder) {
  for (const name of ['dist', 'native', 'vendor', 'package.json', 'node_modules/libclangjs']) {
    cpSync(join(ROOT, name), join(folder, name), {
      recursive: true,
      filter: (path) => !/native\/target|vendor\/libkrun$/.test(path),
    });
  }
  return join(folder, 'dist/cli.cjs');
}

/** Folder of the headers that the source step left in a store. */
function sourceHeaders(store) {
  const results = join(store, 'v1/results/source');
  return join(results, readdirSync(results)[0], 'out/include');
}

/** The same standard headers, and the same dialect of C, for both. */
async function bindgenArguments(folder, include) {
  const standard = join(folder, 'standard');
  const source = readFileSync(join(ROOT, 'pipeline/bindings/libclang/standard-headers.ts'), 'utf8');
  const { code } = await transform(source, { loader: 'ts', format: 'esm' });
  const { STANDARD_HEADERS } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  for (const [name, content] of Object.entries(STANDARD_HEADERS)) {
    mkdirSync(dirname(join(standard, name)), { recursive: true });
    writeFileSync(join(standard, name), content);
  }
  const all = join(folder, 'all.h');
  writeFileSync(all, HEADERS.map((name) => `#include "${name}"\n`).join(''));
  return [all, '--', `-I${include}`, '-nostdinc', '-isystem', standard, '-std=gnu17'];
}

/** Runs the commands by turns; milliseconds and megabytes of each, as medians. */
async function measure(commands, variables) {
  const runs = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let round = 0; round < MEMORY_ROUNDS + ROUNDS; round += 1) {
    for (const [name, command] of Object.entries(commands)) {
      runs[name].push(await run(command, variables, round < MEMORY_ROUNDS));
    }
  }
  const medians = (results) => ({
    ms: median(results.slice(MEMORY_ROUNDS).map(({ ms }) => ms)),
    largestMb: median(results.slice(0, MEMORY_ROUNDS).map(({ largestMb }) => largestMb)),
    sumMb: median(results.slice(0, MEMORY_ROUNDS).map(({ sumMb }) => sumMb)),
  });
  return Object.fromEntries(Object.entries(runs).map(([name, results]) => [name, medians(results)]));
}

function run({ args: [command, ...args], cwd }, variables, watched) {
  const env = { ...process.env, CI: '', LIBCLANG_PATH: undefined, ...variables };
  return new Promise((resolve, reject) => {
    const began = process.hrtime.bigint();
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
    const peak = { largest: 0, sum: 0 };
    const timer = watched ? setInterval(() => look(child.pid, peak), LOOK) : undefined;
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const ms = Number(process.hrtime.bigint() - began) / 1e6;
      clearInterval(timer);
      if (code !== 0) reject(new Error(`${command} ${args.join(' ')} ended with ${signal ?? code}:\n${text}`));
      resolve({ ms, largestMb: peak.largest / 1024, sumMb: peak.sum / 1024 });
    });
  });
}

/** Takes down the most memory that one process of a family, and all of them at one time, were seen to have. */
function look(pid, peak) {
  let sum = 0;
  for (const member of family(pid)) {
    const status = read(`/proc/${member}/status`);
    peak.largest = Math.max(peak.largest, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    sum += Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  peak.sum = Math.max(peak.sum, sum);
}

function family(pid) {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean);
  return [pid, ...children.flatMap(family)];
}

/** A process may end between two looks. */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function ratio(what, ours, peer, aim) {
  const found = ours.ms / peer.ms;
  const verdict = found <= aim ? 'within' : 'ABOVE';
  console.log(
    `${what}: ${ours.ms.toFixed(0)} ms · bindgen and rustfmt: ${peer.ms.toFixed(0)} ms · ratio ${found.toFixed(2)} (${verdict} ${aim})`,
  );
}

function memory(what, { largestMb, sumMb }, aim) {
  const verdict = largestMb <= aim ? 'within' : 'ABOVE';
  console.log(`${what}: ${largestMb.toFixed(0)} MB in one process (${verdict} ${aim}), ${sumMb.toFixed(0)} MB in all`);
}
