import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Without folders and without a way through to the disk: what a request does not hold is not there. */
const EMPTY_FILE_SYSTEM = JSON.stringify({ version: 0, fallthrough: false, roots: [] });

/** Calls `use` with the path of a file for `-ivfsoverlay`, which libclang takes from the disk alone. */
export async function withEmptyFileSystem<T>(use: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'a3s-build-libclang-'));
  try {
    const file = join(folder, 'empty.json');
    writeFileSync(file, EMPTY_FILE_SYSTEM);
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
