import { relative } from 'node:path';
import type { RunEvent, StepOutcome } from '../run/engine.ts';
import { formatSeconds, nameWidth } from '../run/lines.ts';
import { plainView } from '../run/plain-view.ts';
import { painter, terminalKind } from '../run/terminal.ts';
import type { LiveView } from '../run/view.ts';
import { build } from './build.ts';
import type { CommonOptions, Session, Streams, Surroundings } from './session.ts';

/** Builds, and shows it: drawn in place on a terminal, line by line elsewhere; the summary comes last. */
export async function runBuild(
  options: CommonOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
  { stderr }: Streams,
  reporter: string,
): Promise<void> {
  const began = Date.now();
  const kind = terminalKind(stderr, surroundings.variables);
  const paint = painter(kind.color);
  const live = reporter === 'pretty' || (reporter === 'auto' && kind.live);
  let plain: (event: RunEvent) => void = () => {};
  const drawing = lazyLiveView((event) => plain(event));
  try {
    const { outcomes, outDir } = await build(options, surroundings, signal, (session) => {
      stderr.write(`${paint('bold', `a3s-build ${session.config.toolVersion} · ${session.plan.target}`)}\n`);
      plain = plainView((text) => stderr.write(text), paint, Date.now, session.plan);
      for (const { step, why } of session.plan.leftOut)
        stderr.write(`${paint('dim', '○')} ${step.padEnd(nameWidth(session.plan))} left out: ${why}\n`);
      return live ? drawing.start(session) : plain;
    });
    await drawing.end();
    const folder = relative(surroundings.cwd, outDir) || '.';
    stderr.write(`${summary(outcomes)} in ${formatSeconds((Date.now() - began) / 1000)} · results in ${folder}\n`);
  } catch (error) {
    await drawing.end();
    throw error;
  }
}

/** A live view that is only loaded once a step really runs: reused steps are told in plain lines. */
function lazyLiveView(plain: (event: RunEvent) => void) {
  let view: Promise<LiveView> | undefined;
  const before: RunEvent[] = [];
  return {
    start: (session: Session) => (event: RunEvent) => {
      if (view === undefined && event.kind !== 'start') {
        before.push(event);
        return;
      }
      view ??= import('../run/view.ts').then(({ liveView }) => liveView(session.plan, before));
      void view.then((shown) => shown.show(event));
    },
    async end(): Promise<void> {
      if (view === undefined) for (const event of before.splice(0)) plain(event);
      else await (await view).end();
    },
  };
}

function summary(outcomes: readonly StepOutcome[]): string {
  const built = outcomes.filter(({ outcome }) => outcome === 'built').length;
  return built === 0
    ? `nothing to do: ${outcomes.length} steps unchanged`
    : `${built} steps ran, ${outcomes.length - built} unchanged`;
}
