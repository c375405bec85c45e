import { writePinFiles } from '../effects/pin-files.ts';
import { requireTools } from '../effects/toolchain.ts';
import { plainView } from '../run/plain-view.ts';
import { painter, terminalKind } from '../run/terminal.ts';
import { changeText, type PinContext } from './pin-change.ts';
import { type CommonOptions, openSession, type Streams, type Surroundings } from './session.ts';

export interface PinOptions extends CommonOptions {
  readonly what: 'firmware' | 'source';
  readonly version: string;
  readonly dryRun?: boolean | undefined;
  readonly allowDowngrade?: boolean | undefined;
}

/**
 * Fetches and verifies another version, prints what differs from the pinned one, and writes the project's `vendor/`:
 * the only command that does.
 * @throws BuildError A3S1611, A3S1612 or A3S1613 for a version that cannot be pinned; then nothing is written.
 */
export async function runPin(
  options: PinOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
  { stdout, stderr }: Streams,
): Promise<void> {
  const session = await openSession(options, surroundings);
  const paint = painter(terminalKind(stderr, surroundings.variables).color);
  const view = plainView((text) => stderr.write(text), paint);
  const context: PinContext = {
    session,
    signal,
    allowDowngrade: options.allowDowngrade ?? false,
    progress: (progress) => view({ kind: 'progress', step: options.what, progress }),
  };
  const change = await MAKERS[options.what](context, options.version);
  stdout.write(changeText(change));
  if (options.dryRun === true) {
    stderr.write('nothing was written\n');
    return;
  }
  const written = await writePinFiles(session.config.projectRoot, change.files);
  stderr.write(written.length === 0 ? 'this is what is pinned: nothing to write\n' : `wrote ${written.join(', ')}\n`);
}

const MAKERS = {
  async firmware(context: PinContext, version: string) {
    return (await import('./pin-firmware.ts')).pinFirmware(context, version);
  },
  async source(context: PinContext, version: string) {
    const { cargo, rustc } = context.session.config.environment;
    await requireTools({ cargo, rustc }, context.session.toolchain);
    return (await import('./pin-source.ts')).pinSource(context, version);
  },
} as const;
