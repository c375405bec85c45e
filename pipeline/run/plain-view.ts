import type { RunEvent } from './engine.ts';
import { formatSeconds, outcomeText, progressText } from './lines.ts';
import type { Paint } from './terminal.ts';

/** Shortest time between two progress lines of a step: enough to see life, little enough for a log. */
const PROGRESS_EVERY_MS = 10_000;
const NAME_WIDTH = 10;

/** One line an event, for logs and pipes; every line names its step. */
export function plainView(
  write: (text: string) => void,
  paint: Paint,
  now: () => number = Date.now,
): (event: RunEvent) => void {
  const shown = new Map<string, number>();
  const line = (glyph: string, step: string, text: string): void =>
    write(`${glyph} ${step.padEnd(NAME_WIDTH)} ${text}\n`);
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
