import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { readRegistryAccess, tarballUrl } from '../../pipeline/effects/npm-registry.ts';
import { makeFolder } from '../helpers/session.ts';
import { makeCertificate } from './certificate.ts';

const folder = makeFolder('npmrc');
afterAll(folder.remove);

let project = '';
let env: Record<string, string> = {};
let count = 0;
beforeEach(() => {
  count += 1;
  project = join(folder.path, `project-${count}`);
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"name":"x"}');
  // Neither this machine's configuration nor its user's may decide what a test sees.
  env = {
    HOME: folder.path,
    npm_config_userconfig: join(folder.path, 'no-user-npmrc'),
    npm_config_globalconfig: join(folder.path, 'no-global-npmrc'),
  };
});

function npmrc(...lines: string[]): void {
  writeFileSync(join(project, '.npmrc'), `${lines.join('\n')}\n`);
}

it('asks the public registry, without credentials, when nothing is configured', async () => {
  const access = await readRegistryAccess('@scope/pkg', project, env);
  const { default: npm } = await import('@npmcli/config/lib/definitions/index.js');
  const { registry } = npm.definitions as { registry: { default: string } };
  expect(access.registry).toBe(registry.default);
  expect(access.headers).toEqual({});
  expect(access.network).toMatchObject({ ca: undefined, strictTls: undefined });
});

it("takes the project's registry, and that of the scope before it", async () => {
  npmrc('registry=https://all.example/npm', '@scope:registry=https://scope.example/npm/');
  expect((await readRegistryAccess('@scope/pkg', project, env)).registry).toBe('https://scope.example/npm/');
  expect((await readRegistryAccess('@other/pkg', project, env)).registry).toBe('https://all.example/npm/');
  expect((await readRegistryAccess('plain', project, env)).registry).toBe('https://all.example/npm/');
});

it('reads the .npmrc of the workspace that a sub-folder belongs to', async () => {
  npmrc('registry=https://all.example/');
  mkdirSync(join(project, 'node_modules'));
  mkdirSync(join(project, 'sub'));
  expect((await readRegistryAccess('plain', join(project, 'sub'), env)).registry).toBe('https://all.example/');
});

it('takes variables before files', async () => {
  npmrc('registry=https://file.example/');
  const variables = { ...env, npm_config_registry: 'https://variable.example/' };
  expect((await readRegistryAccess('plain', project, variables)).registry).toBe('https://variable.example/');
});

it('sends a token or a name with password to their registry only', async () => {
  npmrc(
    'registry=https://all.example/',
    '@token:registry=https://token.example/npm/',
    '@basic:registry=https://basic.example/',
    '//token.example/npm/:_authToken=canary-token',
    '//basic.example/:_auth=dXNlcjpjYW5hcnk=',
  );
  const headers = async (name: string) => (await readRegistryAccess(name, project, env)).headers;
  expect(await headers('@token/pkg')).toEqual({ authorization: 'Bearer canary-token' });
  expect(await headers('@basic/pkg')).toEqual({ authorization: 'Basic dXNlcjpjYW5hcnk=' });
  expect(await headers('plain')).toEqual({});
});

it('takes the token from a variable that .npmrc names', async () => {
  npmrc('registry=https://all.example/', '//all.example/:_authToken=${SECRET}');
  const { headers } = await readRegistryAccess('plain', project, { ...env, SECRET: 'canary' });
  expect(headers).toEqual({ authorization: 'Bearer canary' });
});

it('takes certificates, proxies and strict-ssl', async () => {
  const { cert } = makeCertificate();
  const cafile = join(folder.path, 'cert.pem');
  writeFileSync(cafile, cert);
  npmrc(
    `cafile=${cafile}`,
    'proxy=http://user:pass@proxy.example:3128/',
    'https-proxy=http://secure.example:3128/',
    'noproxy=one.example,two.example',
    'strict-ssl=false',
  );
  const { network } = await readRegistryAccess('plain', project, env);
  expect(network.ca?.map((text) => text.trim())).toEqual([cert.trim()]);
  expect(network).toMatchObject({
    httpProxy: 'http://user:pass@proxy.example:3128/',
    httpsProxy: 'http://secure.example:3128/',
    strictTls: false,
  });
  expect(network.noProxy?.split(',')).toEqual(['one.example', 'two.example']);
});

it('knows where registries keep tarballs', () => {
  expect(tarballUrl('https://r.example/npm/', '@scope/pkg', '1.2.3')).toBe(
    'https://r.example/npm/@scope/pkg/-/pkg-1.2.3.tgz',
  );
  expect(tarballUrl('https://r.example/', 'pkg', '1.2.3')).toBe('https://r.example/pkg/-/pkg-1.2.3.tgz');
});
