/// <reference path="./npmcli-config.d.ts" />
import { createRequire } from 'node:module';
import type { Network } from './http.ts';

/** Where and how to fetch a package: read as npm itself reads it (.npmrc files, npm_config_* variables). */
export interface RegistryAccess {
  /** Address with a final `/`. */
  readonly registry: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly network: Network;
}

/**
 * Reads the user's npm configuration for the scope of `packageName`.
 * @param cwd The project folder, whose .npmrc counts.
 */
export async function readRegistryAccess(
  packageName: string,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<RegistryAccess> {
  const { default: NpmConfig } = await import('@npmcli/config');
  const { default: npm } = await import('@npmcli/config/lib/definitions/index.js');
  const config = new NpmConfig({
    npmPath: npmFolder(),
    ...npm,
    cwd,
    env: { ...env },
    argv: [process.execPath, 'npm'],
    // npm itself warns about unknown keys; repeating that here would only be noise.
    warn: false,
  });
  await config.load();
  const flat = config.flat as Record<string, unknown>;
  const text = (key: string): string | undefined => (typeof flat[key] === 'string' ? flat[key] : undefined);
  const scope = packageName.startsWith('@') ? packageName.slice(0, packageName.indexOf('/')) : undefined;
  const registry = withSlash((scope && text(`${scope}:registry`)) ?? text('registry') ?? '');
  const noProxy = flat['noProxy'];
  const ca = flat['ca'];
  return {
    registry,
    headers: credentialHeaders(config.getCredentialsByURI(registry)),
    network: {
      httpProxy: text('proxy'),
      httpsProxy: text('httpsProxy'),
      noProxy: Array.isArray(noProxy) ? noProxy.join(',') : text('noProxy'),
      ca: Array.isArray(ca) ? (ca as string[]) : typeof ca === 'string' ? [ca] : undefined,
      strictTls: flat['strictSSL'] === false ? false : undefined,
    },
  };
}

/** The address at which registries serve a version's tarball. */
export function tarballUrl(registry: string, packageName: string, version: string): string {
  const base = packageName.slice(packageName.indexOf('/') + 1);
  return `${registry}${packageName}/-/${base}-${version}.tgz`;
}

function withSlash(address: string): string {
  return address.endsWith('/') ? address : `${address}/`;
}

function credentialHeaders(credentials: { token?: string; auth?: string }): Record<string, string> {
  if (credentials.token) return { authorization: `Bearer ${credentials.token}` };
  if (credentials.auth) return { authorization: `Basic ${credentials.auth}` };
  return {};
}

/** npm's own folder holds its built-in configuration; any folder without one serves where npm is not beside Node. */
function npmFolder(): string {
  try {
    return createRequire(process.execPath)
      .resolve('../lib/node_modules/npm/package.json')
      .replace(/package\.json$/, '');
  } catch {
    return process.execPath;
  }
}
