import type { AbiMade } from './abi-schema.ts';

/** As `inside` of the schema: below the lock's own folder. */
const INSIDE = /^\w[\w.-]*(?:\/\w[\w.-]*)*$/;
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * What a lock says of how the files beside it were made, without the whole schema, whose start costs as much as parsing
 * the header. A lock that deserves a message is read again by `readAbi`.
 * @returns undefined for anything unusual.
 */
export function madeOf(lockText: string): AbiMade | undefined {
  const made = fieldsOf(fieldsOf(parsed(lockText))?.['made']);
  const { package: version, generator, files } = made ?? {};
  if (typeof version !== 'string' || !isDigest(generator) || !Array.isArray(files)) return undefined;
  const listed: AbiMade['files'] = files.flatMap((entry: unknown) => {
    const { path, sha256 } = fieldsOf(entry) ?? {};
    return typeof path === 'string' && INSIDE.test(path) && isDigest(sha256) ? [{ path, sha256 }] : [];
  });
  return listed.length === files.length ? { package: version, generator, files: listed } : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function isDigest(value: unknown): value is string {
  return typeof value === 'string' && SHA256.test(value);
}
