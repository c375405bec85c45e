import { join } from 'node:path';
import { digestOf } from '../plan/assemble.ts';
import { readTextIfThere, writeFileWhole } from './files.ts';

/** Enough for every project of a user; the oldest go first. */
const LIMIT = 1_000;

/** Documents that were found well-formed, so that later runs need not load what checks them. */
export interface KnownGood {
  /** Whether this text was accepted as a `kind` of document by this version of the tool. */
  has(kind: string, text: string): boolean;
  add(kind: string, text: string): void;
}

/** The same, kept between runs; losing it costs time, never a right result. */
export interface WellFormed extends KnownGood {
  /** Keeps what was added for later runs. A store that cannot be written is told by those who need it. */
  save(): Promise<void>;
}

/** @param storeFolder where the answers are kept between runs; for this run only when left out */
export async function openWellFormed(toolVersion: string, storeFolder?: string): Promise<WellFormed> {
  const file = storeFolder === undefined ? undefined : join(storeFolder, 'v1', 'well-formed.json');
  const text = file === undefined ? undefined : await readTextIfThere(file).catch(() => undefined);
  const digests = new Set(readDigests(text));
  const before = digests.size;
  const digest = (kind: string, text: string): string => digestOf([toolVersion, kind, text]);
  return {
    has: (kind, text) => digests.has(digest(kind, text)),
    add: (kind, text) => void digests.add(digest(kind, text)),
    async save() {
      if (file === undefined || digests.size === before) return;
      await writeFileWhole(file, `${JSON.stringify([...digests].slice(-LIMIT))}\n`).catch(() => undefined);
    },
  };
}

function readDigests(text: string | undefined): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(parsed) ? parsed.filter((value) => /^[0-9a-f]{64}$/.test(String(value))) : [];
  } catch {
    return [];
  }
}
