import type { PinFile } from '../effects/pin-files.ts';
import { buildError } from '../plan/errors.ts';
import type { StepContext } from '../steps/step.ts';
import type { Session } from './session.ts';

/** What making pins needs. */
export interface PinContext {
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly allowDowngrade: boolean;
  readonly progress: StepContext['progress'];
}

/** One property, as it is pinned and as it would be; equal where nothing changes. */
export interface PinRow {
  readonly what: string;
  /** Null where nobody recorded it. */
  readonly before: string | null;
  readonly after: string;
}

/** Pins that are made and not yet written. */
export interface PinChange {
  readonly rows: readonly PinRow[];
  /** Difference of the interface, as lines. */
  readonly abi: readonly string[];
  /** What a person has to look at. */
  readonly notes: readonly string[];
  readonly files: readonly PinFile[];
}

/** @throws BuildError A3S1001 for text that is no version, A3S1613 for an older one. */
export async function requireNewer(name: string, pinned: string, wanted: string, allowed: boolean): Promise<void> {
  const { default: semver } = await import('semver');
  if (semver.valid(wanted) !== wanted) {
    throw buildError('A3S1001', { message: `"${wanted.slice(0, 80)}" is no exact version, such as 1.2.3` });
  }
  if (allowed || !semver.lt(wanted, pinned)) return;
  throw buildError('A3S1613', { message: `${name} ${wanted} is older than ${pinned}, which is pinned` });
}

/** The change as lines for people. */
export function changeText({ rows, abi, notes }: PinChange): string {
  const width = Math.max(...rows.map(({ what }) => what.length));
  const lines = rows.map(({ what, before, after }) => {
    const value = before === after ? `${after} · unchanged` : before === null ? after : `${before} → ${after}`;
    return `${what.padEnd(width)}  ${value}`;
  });
  return [...lines, ...abi, ...notes.map((note) => `note: ${note}`), ''].join('\n');
}
