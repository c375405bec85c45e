/** Major versions of libclang that are proven to give the same result as the embedded one. */
export const TESTED_VERSIONS: readonly number[] = [14, 15, 16, 18, 19];

/**
 * What to tell about a libclang that nobody has tested; null for a tested one.
 * @param version as the library tells it (`Debian clang version 19.1.7`).
 */
export function versionWarning(version: string, library: string): string | null {
  // Apple counts its own versions, which are not those of LLVM.
  const major = Number(/(?<!Apple )clang version (\d+)\./.exec(version)?.[1]);
  if (TESTED_VERSIONS.includes(major)) return null;
  return `${version} (${library}) is none of the tested ones: ${TESTED_VERSIONS.join(', ')}`;
}
