import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Whether to run tests that need a file system of their own or another user: on every machine where that works, and
 * in CI always, where a test that could not run must fail and not pass unseen.
 */
export const PRIVILEGED = process.env['CI'] !== undefined || canMount();

/** Runs `work` with a file system in memory of its own, made with mount's `options` (`size=64k`, `nr_inodes=8`). */
export async function withSmallDisk<T>(options: string, work: (disk: string) => Promise<T>): Promise<T> {
  const disk = mkdtempSync(join(tmpdir(), 'small-disk-'));
  try {
    mount(options, disk);
    try {
      return await work(disk);
    } finally {
      execFileSync('umount', ['--lazy', disk], { stdio: 'pipe' });
    }
  } finally {
    rmdirSync(disk);
  }
}

function mount(options: string, folder: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' });
}

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'small-disk-'));
  try {
    mount('size=64k', folder);
    execFileSync('umount', [folder], { stdio: 'pipe' });
    return true;
  } catch {
    process.stderr.write('no right to mount: tests of full disks and refused access are left out\n');
    return false;
  } finally {
    rmdirSync(folder);
  }
}
