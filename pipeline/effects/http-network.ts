import type { Dispatcher } from 'undici';
import { buildError } from '../plan/errors.ts';

/** How to reach servers; undefined fields come from the environment (`HTTPS_PROXY`, `NO_PROXY`). */
export interface Network {
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
  readonly ca?: readonly string[] | undefined;
  readonly strictTls?: boolean | undefined;
}

/**
 * Opens the way to servers.
 * @param limits Milliseconds for connecting and between two bytes.
 * @throws BuildError A3S2002 for a proxy's address that is none.
 */
export async function makeDispatcher(
  network: Network,
  limits: { readonly connect: number; readonly stall: number },
): Promise<Dispatcher> {
  const { EnvHttpProxyAgent } = (await import('undici')).default;
  const tls = {
    ...(network.ca === undefined ? {} : { ca: [...network.ca] }),
    ...(network.strictTls === undefined ? {} : { rejectUnauthorized: network.strictTls }),
  };
  try {
    return new EnvHttpProxyAgent({
      ...(network.httpProxy === undefined ? {} : { httpProxy: network.httpProxy }),
      ...(network.httpsProxy === undefined ? {} : { httpsProxy: network.httpsProxy }),
      ...(network.noProxy === undefined ? {} : { noProxy: network.noProxy }),
      connect: { timeout: limits.connect, ...tls },
      requestTls: tls,
      proxyTls: { timeout: limits.connect, ...tls },
      headersTimeout: limits.stall,
      bodyTimeout: limits.stall,
    });
  } catch (error) {
    // The address itself stays out of the message: it may hold a password.
    throw buildError(
      'A3S2002',
      {
        message: 'the address of the proxy is not a URL',
        fix: 'Write HTTPS_PROXY, HTTP_PROXY and the proxy settings of npm as http://host:port.',
      },
      error,
    );
  }
}
