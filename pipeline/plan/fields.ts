import * as z from 'zod/mini';

/** A string that must match; `message` says what was expected. */
export const patternText = (pattern: RegExp, message: string) => z.string().check(z.regex(pattern, message));

const PACKAGE_NAME = /^(@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/;
const EXACT_VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

export const packageName = patternText(PACKAGE_NAME, 'expected an npm package name');

export const exactVersion = patternText(EXACT_VERSION, 'expected an exact version');

/** Whether a text is an exact version, as npm packages have. */
export const isExactVersion = (text: string): boolean => EXACT_VERSION.test(text);

/** Whether values out of a document are the name and the exact version of an npm package. */
export function isPackageId(name: unknown, version: unknown): boolean {
  return typeof name === 'string' && PACKAGE_NAME.test(name) && typeof version === 'string' && isExactVersion(version);
}

export const sha256 = patternText(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits');

export const bytes = z.int().check(z.positive());

/** A path inside an archive: relative, without `..`. */
export const member = patternText(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))[^\0\n\\]+$/, 'expected a relative path without ".."');
