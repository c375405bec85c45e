import { ERROR_TABLE, isErrorCode } from '../plan/error-table.ts';
import { buildError } from '../plan/errors.ts';

/**
 * What is known about an error code, as text.
 * @throws BuildError A3S1001 for a code that does not exist.
 */
export function explain(code: string): string {
  const name = code.toUpperCase();
  if (!isErrorCode(name)) {
    throw buildError('A3S1001', {
      message: `no error has the code ${code}`,
      fix: `Known codes: ${Object.keys(ERROR_TABLE).join(', ')}`,
    });
  }
  const { title, cause, fix, exit } = ERROR_TABLE[name];
  return `${name}  ${title}\n\nWhy:  ${cause}\nFix:  ${fix}\nExit code: ${exit}\n`;
}
