import { type DefaultRenderer, Listr, type ListrTaskWrapper, type SimpleRenderer } from 'listr2';
import type { Plan, StepId } from '../plan/steps.ts';
import type { RunEvent } from './engine.ts';
import { formatSeconds, outcomeText, progressText } from './lines.ts';

type Task = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

/** Redrawing costs time that the compilers want: ten pictures a second are enough for an eye. */
const REDRAW_MS = 100;

export interface LiveView {
  show(event: RunEvent): void;
  /** Draws the last picture and gives the terminal back. */
  end(): Promise<void>;
}

interface Row {
  readonly finish: () => void;
  readonly fail: (error: Error) => void;
  readonly ended: Promise<void>;
  task: Task | undefined;
  /** Whether the step has ended, well or badly. */
  settled: boolean;
  title: string;
  drawn: number;
}

/** One line a step on a terminal, redrawn in place. */
export function liveView(plan: Plan, earlier: readonly RunEvent[]): LiveView {
  const rows = new Map<StepId, Row>(plan.steps.map((step) => [step.id, makeRow(step.id)]));
  const list = new Listr(
    plan.steps.map(({ id }) => ({
      title: `${id.padEnd(10)} waiting`,
      task: async (_context: unknown, task: Task) => {
        const row = rows.get(id);
        if (row === undefined) return;
        row.task = task;
        task.title = row.title;
        await row.ended;
      },
    })),
    {
      concurrent: true,
      exitOnError: false,
      // Signals are the command line's: it ends the children before the program goes.
      registerSignalListeners: false,
      rendererOptions: { collapseErrors: false, showErrorMessage: false },
    },
  );
  const drawn = list.run();
  const view: LiveView = {
    show: (event) => {
      const row = rows.get(event.step);
      if (row !== undefined) showOn(row, event);
    },
    async end() {
      for (const row of rows.values()) {
        if (!row.settled) row.task?.skip();
        row.finish();
      }
      await drawn;
    },
  };
  for (const event of earlier) view.show(event);
  return view;
}

function makeRow(id: StepId): Row {
  let finish = (): void => {};
  let fail = (_error: Error): void => {};
  const ended = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  ended.catch(() => {});
  return { finish, fail, ended, task: undefined, settled: false, title: `${id.padEnd(10)} waiting`, drawn: 0 };
}

function showOn(row: Row, event: RunEvent): void {
  const name = event.step.padEnd(10);
  const title = (text: string): void => {
    row.title = `${name} ${text}`;
    if (row.task !== undefined) row.task.title = row.title;
  };
  switch (event.kind) {
    case 'start':
      title(event.why);
      break;
    case 'note':
      title(event.message);
      break;
    case 'progress':
      if (Date.now() - row.drawn < REDRAW_MS) break;
      row.drawn = Date.now();
      title(progressText(event.progress));
      break;
    case 'done':
      title(`${outcomeText(event.result)}  ${formatSeconds(event.result.seconds)}`);
      row.settled = true;
      row.finish();
      break;
    case 'failed':
      title(`failed after ${formatSeconds(event.seconds)}`);
      row.settled = true;
      row.fail(new Error(event.failure.message));
      break;
  }
}
