import { VmError, type VmErrorCode } from './api.ts';

/** What the launcher may report; every code of it is one of `VmErrorCode`. */
export const REPORTED_CODES: ReadonlySet<string> = new Set<VmErrorCode>([
  'LAUNCHER_BAD_DESCRIPTION',
  'LAUNCHER_NO_KVM',
  'LAUNCHER_KVM_DENIED',
  'LAUNCHER_KVM_UNUSABLE',
  'LAUNCHER_NOT_ENTITLED',
  'LAUNCHER_LIBRARY',
  'LAUNCHER_CALL',
  'LAUNCHER_GUEST_LOST',
  'LAUNCHER_CRASHED',
]);

/**
 * The error that the launcher reported; undefined when it reported none, which makes any exit code, even 125, the
 * guest's own.
 * @param report What came out of the launcher's descriptor for errors.
 */
export function failureFrom(report: string, exitCode: number): VmError | undefined {
  const text = report.trim();
  if (text === '') return undefined;
  const failure = parse(text);
  if (failure === undefined) {
    return new VmError('LAUNCHER_UNKNOWN', `the launcher reported something unreadable: ${text.slice(0, 200)}`, {
      exitCode,
    });
  }
  const { code, message } = failure;
  const details = { function: failure.function, errno: failure.errno, exitCode };
  if (isKnown(code)) return new VmError(code, message, details);
  return new VmError('LAUNCHER_UNKNOWN', `${code}: ${message}`, details);
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly function: string | undefined;
  readonly errno: number | undefined;
}

function parse(text: string): Failure | undefined {
  try {
    const { code, message, function: name, errno } = JSON.parse(text) as Record<string, unknown>;
    if (typeof code !== 'string' || typeof message !== 'string') return undefined;
    return {
      code,
      message,
      function: typeof name === 'string' ? name : undefined,
      errno: typeof errno === 'number' ? errno : undefined,
    };
  } catch {
    return undefined;
  }
}

function isKnown(code: string): code is VmErrorCode {
  return REPORTED_CODES.has(code);
}
