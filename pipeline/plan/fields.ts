import * as z from 'zod/mini';

/** A string that must match; `message` says what was expected. */
export const patternText = (pattern: RegExp, message: string) => z.string().check(z.regex(pattern, message));

export const packageName = patternText(
  /^(@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/,
  'expected an npm package name',
);

export const exactVersion = patternText(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, 'expected an exact version');
