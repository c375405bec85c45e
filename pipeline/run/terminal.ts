import { styleText } from 'node:util';

type Variables = Readonly<Record<string, string | undefined>>;
type Style = 'red' | 'green' | 'yellow' | 'dim' | 'bold';

/** Writes text with or without colour. */
export type Paint = (style: Style, text: string) => string;

export interface TerminalKind {
  readonly color: boolean;
  /** Whether lines can be drawn over: a terminal wide enough for it. */
  readonly live: boolean;
}

/** Below this many columns a live view would wrap every line. */
const NARROWEST = 40;

/** What the stream can show. `FORCE_COLOR` outweighs `NO_COLOR`, which outweighs what the terminal is. */
export function terminalKind(stream: { isTTY?: boolean; columns?: number }, variables: Variables): TerminalKind {
  const dumb = variables['TERM'] === 'dumb';
  const terminal = stream.isTTY === true && !dumb;
  const forced = variables['FORCE_COLOR'];
  const color = forced === undefined || forced === '' ? terminal && !variables['NO_COLOR'] : forced !== '0';
  const ci = variables['CI'] !== undefined && variables['CI'] !== '' && variables['CI'] !== 'false';
  return { color, live: terminal && !ci && (stream.columns ?? 0) >= NARROWEST };
}

export function painter(color: boolean): Paint {
  return color ? (style, text) => styleText(style, text) : (_style, text) => text;
}
