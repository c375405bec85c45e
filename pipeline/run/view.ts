import { type DefaultRenderer, Listr, type ListrTaskWrapper, type SimpleRenderer } from 'listr2';
import type { Plan, PlannedStep, StepName } from '../plan/steps.ts';
import type { RunEvent } from './engine.ts';
import { formatSeconds, nameWidth, outcomeText, progressText } from './lines.ts';

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
  /** Name of the step, as wide as the longest. */
  readonly label: string;
  title: string;
  drawn: number;
}

/** One line a step on a terminal, redrawn in place. */
export function liveView(plan: Plan, earlier: readonly RunEvent[]): LiveView {
  const width = nameWidth(plan);
  const label = ({ name }: PlannedStep): string => name.padEnd(width);
  const rows = new Map<StepName, Row>(plan.steps.map((step) => [step.name, makeRow(label(step))]));
  const list = new Listr(
    plan.steps.map((step) => ({
      title: `${label(step)} waiting`,
      task: async (_context: unknown, task: Task) => {
        const row = rows.get(step.name);
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

function makeRow(label: string): Row {
  let finish = (): void => {};
  let fail = (_error: Error): void => {};
  const ended = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  ended.catch(() => {});
  return { finish, fail, ended, task: undefined, settled: false, label, title: `${label} waiting`, drawn: 0 };
}

function showOn(row: Row, event: RunEvent): void {
  const title = (text: string): void => {
    row.title = `${row.label} ${text}`;
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
