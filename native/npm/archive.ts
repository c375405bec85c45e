import { existsSync } from 'node:fs';
import { LoadError } from './api.ts';

/** The end of an archive's name inside a path: `…/app.asar/node_modules/…`. */
const ARCHIVE = /(?<=\.asar)(?=[\\/])/;

/**
 * Path under which the system itself finds a file: Electron shows what is in `app.asar` as if it were in a folder, and
 * puts what must be a real file into `app.asar.unpacked` beside it.
 * @param electron Whether this is Electron; to everybody else `app.asar` is a folder like any other.
 * @throws LoadError LOADER_IN_ARCHIVE for a file that is in the archive only.
 */
export function outsideArchive(path: string, packageName: string, electron = 'electron' in process.versions): string {
  const outside = path.replace(ARCHIVE, '.unpacked');
  if (outside === path || existsSync(outside)) return outside;
  if (!electron) return path;
  throw new LoadError(
    'LOADER_IN_ARCHIVE',
    `${path} is inside an archive, and the system can open real files only. Leave ${packageName} out of it when the application is packed: asarUnpack in electron-builder, asar.unpack in Electron Forge, with the pattern **/node_modules/${packageName}/**.`,
  );
}
