import type { PlannedStep } from '../plan/steps.ts';
import type { Progress } from '../steps/step.ts';
import type { StepOutcome } from './engine.ts';

/** `0.4s`, `42s`, `2m 05s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  if (seconds < 60) return `${Math.round(seconds)}s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, '0')}s`;
}

/** `21.6 MB`, in powers of ten, as file managers and npm count. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB'];
  let value = bytes;
  let unit = -1;
  do {
    value /= 1000;
    unit++;
  } while (value >= 999.95 && unit < units.length - 1);
  return `${value.toFixed(1)} ${units[unit]}`;
}

/** Columns that the longest name of a step takes; more where a plan names targets. */
export function nameWidth({ steps }: { readonly steps: readonly Pick<PlannedStep, 'name'>[] }): number {
  return Math.max(10, ...steps.map(({ name }) => name.length));
}

const BAR = 16;

/** `[=====>    ] 54/120 crates  vm-memory`; without a total only what is known. */
export function progressText({ done, total, unit, detail }: Progress): string {
  const count = (value: number): string => (unit === 'bytes' ? formatBytes(value) : String(value));
  if (done === undefined) return detail ?? '';
  if (total === undefined || total === 0)
    return `${count(done)}${unit === 'bytes' ? '' : ` ${unit ?? ''}`}  ${detail ?? ''}`;
  const filled = Math.min(BAR, Math.floor((done / total) * BAR));
  const bar = filled < BAR ? `${'='.repeat(filled)}>`.padEnd(BAR) : '='.repeat(BAR);
  const amount = unit === 'bytes' ? `${count(done)} of ${count(total)}` : `${done}/${total} ${unit ?? ''}`;
  return `[${bar}] ${amount}  ${detail ?? ''}`.trimEnd();
}

/** The line of a finished step after its name: what came out, and why it ran. */
export function outcomeText({ outcome, summary, why }: StepOutcome): string {
  return `${summary} · ${outcome === 'reused' ? why : `ran: ${why}`}`;
}
