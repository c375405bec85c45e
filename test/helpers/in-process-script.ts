import { type ParserOptions, type ParseUnit, parseUnits } from '../../pipeline/bindings/libclang/embedded.ts';
import { leave } from '../../pipeline/effects/leave.ts';
import { toFailure } from '../../pipeline/plan/errors.ts';

/**
 * A program that parses with a libclang inside its own process, and ends itself: units and options as JSON on stdin; the
 * units that were read, or the failure, as JSON on stdout.
 */
async function main(): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  const { units, options } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
    units: readonly ParseUnit[];
    options: ParserOptions;
  };
  try {
    return { units: await parseUnits(units, options) };
  } catch (error) {
    return { failure: toFailure(error) };
  }
}

main().then((result) => process.stdout.write(JSON.stringify(result), () => leave(0)));
