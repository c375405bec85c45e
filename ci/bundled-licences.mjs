/** Says whose code a bundle holds: every package with its licence, as these ask for. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const IN_PACKAGE = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;
const LICENCE_FILE = /^(?:licen[cs]e|copying|notice|thirdpartynotice)/i;

const HEAD = `Third-party code in a3s-build

The files of this folder hold code of the packages below.
`;

/**
 * Returns a text with name, version, licence and the licence's own words of every package that something came from.
 * @param {readonly import('esbuild').Metafile[]} metafiles paths are relative to `root`
 * @param {string} root
 * @throws Error for a package that names no licence.
 */
export function bundledLicences(metafiles, root) {
  const folders = new Set(
    metafiles.flatMap(({ outputs }) =>
      Object.values(outputs)
        .flatMap(({ inputs }) => Object.entries(inputs))
        .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
        .flatMap(([path]) => IN_PACKAGE.exec(path)?.[1] ?? []),
    ),
  );
  const packages = [...folders].map((folder) => describe(join(root, folder)));
  const sections = new Map(packages.map((one) => [`${one.name} ${one.version}`, section(one)]));
  return [HEAD, ...[...sections.keys()].toSorted().map((key) => sections.get(key))].join('\n');
}

function describe(folder) {
  const { name, version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const id = typeof license === 'object' ? license.type : license;
  if (id === undefined) throw new Error(`${folder} names no licence`);
  const names = readdirSync(folder).filter((file) => LICENCE_FILE.test(file));
  const texts = names.toSorted().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return { name, version, id, author: typeof author === 'object' ? author.name : author, texts };
}

function section({ name, version, id, author, texts }) {
  const line = '-'.repeat(78);
  const words =
    texts.length > 0 ? texts : [`By ${author ?? `the authors of ${name}`}; no text comes with the package.`];
  return [line, `${name} ${version} (${id})`, line, '', words.join('\n\n'), ''].join('\n');
}
