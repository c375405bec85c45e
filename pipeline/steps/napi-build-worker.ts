/**
 * A program of its own, run as a child process: the napi tool inherits the environment and the standard streams of
 * whoever calls it and reports no more than an exit code, so its caller gives it a process with chosen ones.
 *
 * Options as JSON in the first argument. The last line on standard output is JSON as well: `{"node": "<path>"}`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NapiCli } from '@napi-rs/cli';

/** What the worker is told to build; every path absolute. */
export interface NapiBuildOptions {
  /** `Cargo.toml` of the emitted crate. */
  readonly manifestPath: string;
  /** Target triple: `x86_64-unknown-linux-gnu`, or `x86_64-unknown-linux-gnu.2.28`. */
  readonly target: string;
  /** Whether cargo-zigbuild links, which takes the release of glibc at the target's end. */
  readonly crossCompile: boolean;
  /** Cargo's target folder: may be kept between runs. */
  readonly targetDir: string;
  /** Where the `.node` file goes. */
  readonly outputDir: string;
  /** An empty folder for files that the napi tool insists on. */
  readonly workDir: string;
  /** Folder in which cargo runs: its configuration files (mirrors, proxies) count. */
  readonly cwd: string;
  /** First part of the file name: `libkrun` gives `libkrun.linux-x64-gnu.node`. */
  readonly binaryName: string;
  /** Whether to optimise; false for quick builds in tests. */
  readonly release: boolean;
  /** Further arguments for `cargo build` (`--offline`); `--locked` is always among them. */
  readonly cargoOptions: readonly string[];
}

const TEXTS = ['manifestPath', 'target', 'targetDir', 'outputDir', 'workDir', 'cwd', 'binaryName'] as const;

/** Reads the options; throws with the field's name, since only a bug of the caller can get them wrong. */
function parseOptions(text: string): NapiBuildOptions {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new Error('options: not an object');
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name of TEXTS) if (typeof fields[name] !== 'string') throw new Error(`options: ${name} is not a string`);
  for (const name of ['release', 'crossCompile']) {
    if (typeof fields[name] !== 'boolean') throw new Error(`options: ${name} is not a boolean`);
  }
  const list = fields['cargoOptions'];
  if (!Array.isArray(list) || list.some((one) => typeof one !== 'string')) {
    throw new Error('options: cargoOptions is not an array of strings');
  }
  return value as NapiBuildOptions;
}

/** Builds the addon and returns the path of its `.node` file. */
async function buildAddon(options: NapiBuildOptions): Promise<string> {
  await mkdir(options.outputDir, { recursive: true });
  await mkdir(options.workDir, { recursive: true });
  const packageJsonPath = join(options.workDir, 'package.json');
  const manifest = { name: options.binaryName, version: '0.0.0', napi: { binaryName: options.binaryName } };
  await writeFile(packageJsonPath, JSON.stringify(manifest));
  const { task } = await new NapiCli().build({
    cwd: options.cwd,
    packageJsonPath,
    manifestPath: options.manifestPath,
    target: options.target,
    crossCompile: options.crossCompile,
    targetDir: options.targetDir,
    outputDir: options.outputDir,
    platform: true,
    release: options.release,
    // Declarations come from the header, and the loader from the root package.
    noJsBinding: true,
    dtsCache: false,
    cargoOptions: ['--locked', ...options.cargoOptions],
  });
  const outputs = await task;
  const addon = outputs.find(({ kind }) => kind === 'node');
  if (addon === undefined) throw new Error('the napi tool built no addon');
  return addon.path;
}

const [, , argument] = process.argv;
if (argument !== undefined) {
  // Parsed inside the chain, so that bad options end like every other failure: one line, exit code 1.
  const built = Promise.resolve(argument).then(parseOptions).then(buildAddon);
  built.then(
    (node) => process.stdout.write(`${JSON.stringify({ node })}\n`),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    },
  );
}
