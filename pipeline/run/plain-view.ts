import type { Plan } from '../plan/steps.ts';
import type { RunEvent } from './engine.ts';
import { formatSeconds, nameWidth, outcomeText, progressText } from './lines.ts';
import type { Paint } from './terminal.ts';

/** Shortest time between two progress lines of a step: enough to see life, little enough for a log. */
const PROGRESS_EVERY_MS = 10_000;

/**
 * One line an event, for logs and pipes; every line names its step.
 * @param plan Whose steps are shown, where their names are longer than usual.
 */
export function plainView(
  write: (text: string) => void,
  paint: Paint,
  now: () => number = Date.now,
  plan?: Pick<Plan, 'steps'>,
): (event: RunEvent) => void {
  const shown = new Map<string, number>();
  const width = nameWidth(plan ?? { steps: [] });
  const line = (glyph: string, step: string, text: string): void => write(`${glyph} ${step.padEnd(width)} ${text}\n`);
  return (event) => {
    switch (event.kind) {
      case 'start':
        shown.set(event.step, now());
        line('▸', event.step, `started: ${event.why}`);
        break;
      case 'progress':
        if (now() - (shown.get(event.step) ?? 0) < PROGRESS_EVERY_MS) break;
        shown.set(event.step, now());
        line('…', event.step, progressText(event.progress));
        break;
      case 'note':
        line('!', event.step, event.message);
        break;
      case 'done': {
        const { result } = event;
        line(paint('green', '✓'), event.step, `${outcomeText(result)}  ${paint('dim', formatSeconds(result.seconds))}`);
        break;
      }
      case 'failed':
        line(paint('red', '✗'), event.step, `failed after ${formatSeconds(event.seconds)}`);
        break;
    }
  };
}
