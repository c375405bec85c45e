import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CliResult, collect } from './cli.ts';
import { REPOSITORY } from './session.ts';

/** The Cargo workspace whose programs use libkrun-sys. */
const CARGO_WORKSPACE = join(REPOSITORY, 'test/cargo-workspace');

export interface CargoOptions {
  readonly cwd?: string;
  /** Folder for everything that cargo makes. */
  readonly targetDir: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs cargo without network, in an environment that holds PATH, HOME, cargo's home and what is given. */
export function runCargo(args: readonly string[], options: CargoOptions): Promise<CliResult> {
  const passed = ['PATH', 'HOME', 'CARGO_HOME', 'RUSTUP_HOME'].map((name) => [name, process.env[name]]);
  const child = spawn('cargo', args, {
    cwd: options.cwd ?? CARGO_WORKSPACE,
    env: {
      ...Object.fromEntries(passed),
      CARGO_NET_OFFLINE: 'true',
      CARGO_TARGET_DIR: options.targetDir,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return collect(child);
}

/** Writes a program of shell text, and returns its path. */
export function writeProgram(path: string, text: string): string {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}
