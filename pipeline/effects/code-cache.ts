import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Script } from 'node:vm';

type Variables = Readonly<Record<string, string | undefined>>;

/** Bytes of the SHA-256 in front of what V8 made: V8 itself runs damaged code as it is. */
const DIGEST_LENGTH = 32;

const HEAD = '(function (exports, require, module, __filename, __dirname) { ';

/**
 * Has Node load this program's own files with the code that V8 made of them at an earlier start, which saves a short
 * command 5 to 10 percent. The names of those files hold the digest of their content. What is kept lies beside them, where
 * nobody can write who could not change the program as well; nothing is kept in a folder that is somebody else's.
 * Such code cannot use `import()` in Node 20, so ci/bundle.mjs leaves none.
 *
 * Node has the like of it from version 22 on (`module.enableCompileCache`); `NODE_DISABLE_COMPILE_CACHE` turns this off as
 * it does that.
 * @param folder where the program lies; its files are in `chunks`
 * @returns What keeps the code of the files that were loaded without; to be called when everything has run once.
 */
export function useKeptCode(folder: string, variables: Variables): () => void {
  // What V8 counts for coverage is wrong for functions that it did not compile itself.
  if (variables['NODE_DISABLE_COMPILE_CACHE'] !== undefined || variables['NODE_V8_COVERAGE'] !== undefined) {
    return () => undefined;
  }
  const kept = join(folder, 'code', `${process.versions.v8}-${process.arch}`);
  const own = join(folder, 'chunks');
  const missing = new Map<string, Script>();
  const { extensions } = createRequire(folder);
  const load = extensions['.js'];
  extensions['.cjs'] = (module, path) => {
    if (dirname(path) !== own) return load(module, path);
    const cachedData = readKept(join(kept, `${basename(path)}.bin`));
    const script = compile(path, cachedData);
    if (cachedData === undefined || script.cachedDataRejected === true) missing.set(path, script);
    script.runInThisContext()(module.exports, createRequire(path), module, path, own);
  };
  return () => {
    if (missing.size > 0 && isOurs(folder)) keep(kept, missing);
  };
}

function compile(path: string, cachedData: Buffer | undefined): Script {
  return new Script(`${HEAD}${readFileSync(path, 'utf8')}\n})`, {
    filename: path,
    columnOffset: -HEAD.length,
    cachedData,
  });
}

function readKept(path: string): Buffer | undefined {
  try {
    const bytes = readFileSync(path);
    const code = bytes.subarray(DIGEST_LENGTH);
    return digestOf(code).equals(bytes.subarray(0, DIGEST_LENGTH)) ? code : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Code that cannot be kept, on a disk that is full or read-only, is made again the next time. All is written at once and
 * not by `writeFileWhole`, whose work waits for threads: a header without end may hold them when the program is to end.
 */
function keep(folder: string, scripts: ReadonlyMap<string, Script>): void {
  try {
    mkdirSync(folder, { recursive: true });
    for (const [path, script] of scripts) writeKept(join(folder, `${basename(path)}.bin`), script.createCachedData());
  } catch {
    // As said above.
  }
}

function writeKept(path: string, code: Buffer): void {
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, Buffer.concat([digestOf(code), code]));
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Files of root's in a user's folder could not be removed by that user. */
function isOurs(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.uid === process.getuid?.();
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
