import { BuildError, type Failure } from '../../pipeline/plan/errors.ts';

/** The failure that `work` ends with; throws when it ends without one, or with an error that has no code. */
export async function failureOf(work: () => unknown): Promise<Failure> {
  try {
    await work();
  } catch (error) {
    if (error instanceof BuildError) return error.failure;
    throw error;
  }
  throw new Error('there was no failure');
}
