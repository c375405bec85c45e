import { BuildError, buildError } from '../plan/errors.ts';

/** A try that may succeed when repeated. */
export class PassingFault extends Error {
  /** Milliseconds that the server asked to wait. */
  readonly waitMs: number | undefined;
  /** What the server answered, where it answered at all. */
  readonly status: number | undefined;

  constructor(message: string, answer: { readonly waitMs?: number | undefined; readonly status?: number } = {}) {
    super(message);
    this.waitMs = answer.waitMs;
    this.status = answer.status;
  }
}

/** Headers of an answer, names in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The first value of a header. */
export function headerText(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The same address without user name, password, query and fragment: safe to print. */
export function printableUrl(url: string): string {
  const parsed = new URL(url);
  return `${parsed.origin}${parsed.pathname}`;
}

/** The failure for an answer that is neither the file nor a redirect: passing where asking again can help. */
export function refusal(url: string, status: number, headers: Headers): Error {
  const message = `${printableUrl(url)} answered ${status}`;
  const used = headerText(headers, 'x-ratelimit-remaining') === '0';
  const waitMs = retryAfter(headerText(headers, 'retry-after')) ?? (used ? untilReset(headers) : undefined);
  const limited = status === 429 || (status === 403 && (used || waitMs !== undefined));
  return status >= 500 || status === 408 || limited
    ? new PassingFault(message, { waitMs, status })
    : buildError('A3S2005', { message });
}

/** Seconds or a date (RFC 9110, 10.2.3), as milliseconds from now. */
function retryAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** GitHub's header: the second, since 1970, at which requests count from zero again. */
function untilReset(headers: Headers): number | undefined {
  const text = headerText(headers, 'x-ratelimit-reset') ?? '';
  return /^\d+$/.test(text) ? Math.max(0, Number(text) * 1000 - Date.now()) : undefined;
}

/** What OpenSSL and Node call a certificate that is not to be trusted, or a connection that is not TLS. */
const TLS_CODES = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|^EPROTO$|^ERR_SSL_|^ERR_TLS_/;

/**
 * Sorts what ended a try.
 * @returns The fault where another try may help.
 * @throws BuildError A3S2002 for TLS, proxy credentials and requests that cannot be sent; anything unknown as it came.
 */
export function passingOrThrow(error: unknown, url: string): Error {
  if (error instanceof PassingFault) return error;
  if (error instanceof BuildError || !(error instanceof Error)) throw error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code === undefined && error.name !== 'HTTPParserError') throw error;
  const message = `cannot fetch ${printableUrl(url)}: ${reasonOf(error)}`;
  if (TLS_CODES.test(code ?? '')) {
    throw buildError(
      'A3S2002',
      {
        message,
        cause: "The server's certificate is not trusted, or the connection is not TLS at all.",
        fix: 'Behind a proxy with a certificate of its own, set NODE_EXTRA_CA_CERTS to that certificate, or `cafile` in .npmrc.',
      },
      error,
    );
  }
  if (code === 'UND_ERR_ABORTED' && error.message.includes('407')) {
    throw buildError(
      'A3S2002',
      {
        message: `cannot fetch ${printableUrl(url)}: the proxy asks for a user name and password (407)`,
        fix: 'Put them into HTTPS_PROXY or the proxy setting of npm, or list the host in NO_PROXY.',
      },
      error,
    );
  }
  if (code === 'UND_ERR_INVALID_ARG') throw buildError('A3S2002', { message }, error);
  return error;
}

/** The failure after the last try. */
export function givenUp(url: string, last: Error, tries: number): BuildError {
  if (last instanceof PassingFault && last.status !== undefined) {
    return buildError('A3S2005', { message: `${last.message} (${tries} tries)` }, last);
  }
  const message = `cannot fetch ${printableUrl(url)}: ${reasonOf(last)} (${tries} tries)`;
  return buildError('A3S2002', { message }, last);
}

/** A server with several addresses fails with one error for each of them, and an empty text for all. */
function reasonOf(error: Error): string {
  if (error.message !== '') return error.message;
  const parts: unknown[] = error instanceof AggregateError ? error.errors : [];
  const texts = parts.flatMap((part) => (part instanceof Error ? [part.message] : []));
  return texts.join('; ') || 'no answer';
}

const CREDENTIALS = new Set(['authorization', 'cookie', 'npm-otp', 'proxy-authorization']);

/** What may be sent to a server of another origin. */
export function withoutCredentials(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.has(name.toLowerCase())));
}

/**
 * Where a redirect leads.
 * @throws BuildError A3S2005 for what is not a web address, A3S2004 for one that is not encrypted when `url` is.
 */
export function redirectTarget(url: string, location: string): URL {
  const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
  if (next === undefined || !['http:', 'https:'].includes(next.protocol)) {
    throw buildError('A3S2005', { message: `${printableUrl(url)} redirects to what is not a web address` });
  }
  if (new URL(url).protocol === 'https:' && next.protocol !== 'https:') {
    throw buildError('A3S2006', {
      message: `${printableUrl(url)} redirects to an unencrypted address`,
    });
  }
  return next;
}

/** Told of every piece that arrives; throws when, over a while, too little does. */
export function speedWatch(timing: { readonly slow: number; readonly minimumSpeed: number }): (bytes: number) => void {
  let since = Date.now();
  let seen = 0;
  return (bytes) => {
    seen += bytes;
    const elapsed = Date.now() - since;
    if (elapsed < timing.slow) return;
    if ((seen * 1000) / elapsed < timing.minimumSpeed) throw new PassingFault('the server sends too slowly');
    since = Date.now();
    seen = 0;
  };
}
