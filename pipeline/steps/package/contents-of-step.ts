import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SystemFloors } from '../../binary/audit-file.ts';
import { withDiskErrors } from '../../effects/files.ts';
import type { Facts } from '../../effects/store.ts';
import { firmwareArtifact } from '../../plan/build-steps.ts';
import { LIBKRUN_FEATURES } from '../../plan/cargo.ts';
import { LAUNCHER } from '../binaries.ts';
import { COMMITTED } from '../bindings.ts';
import { type LinkedNotices, readLinkedNotices } from '../linked-crates.ts';
import type { StepContext } from '../step.ts';
import { measureFloors } from './audit.ts';
import type { Contents, Firmware, Libkrun, Origin } from './contents.ts';
import { mergeLinked } from './crate-texts.ts';
import { type Crate, type CrateLicenses, cratesBelow, mergeCrates } from './crates.ts';
import { binaryExpectations } from './expectations.ts';
import { platformPackageName } from './names.ts';
import { binaryEntries } from './platform-package.ts';

/** Gathers what the platform package's metadata tells, out of the results of the steps before. */
export async function readContents(context: StepContext): Promise<Contents> {
  const { config } = context;
  const { name, version, repository } = config.package;
  return {
    name: platformPackageName(name, config.target),
    version,
    target: config.target,
    repository,
    tool: config.toolVersion,
    date: config.environment.sourceDate,
    floors: await readFloors(context),
    libkrun: libkrunOf(context),
    firmware: firmwareOf(context),
    ownInit: config.environment.initFile === undefined,
    crates: await readCrates(context),
    linked: await readLinked(context),
  };
}

async function readFloors(context: StepContext): Promise<SystemFloors> {
  const { target } = context.config;
  const folders = { prefix: join(context.need('prefix').dir, 'prefix'), addon: context.need('addon').dir };
  const files = await Promise.all(
    binaryEntries(target, folders).map(async ({ path, file }) => ({
      path,
      content: await withDiskErrors(file, () => readFile(file)),
    })),
  );
  // A file that cannot be read is for the audit of the tarball to tell.
  return measureFloors(files, binaryExpectations(target, {})) ?? { glibc: null, macos: null };
}

function libkrunOf(context: StepContext): Libkrun {
  const { facts } = context.need('source');
  const { libkrun } = context.pins;
  const { license, correspondingSource } = libkrun;
  return {
    version: String(facts['version']),
    license,
    features: LIBKRUN_FEATURES,
    crate: facts['origin'] === 'crate' ? libkrun.crate : null,
    correspondingSource,
  };
}

function firmwareOf(context: StepContext): Firmware {
  const { facts } = context.need('firmware');
  const text = (name: string): string | null => (typeof facts[name] === 'string' ? facts[name] : null);
  const [version, kernel, sha256] = [text('version'), text('kernel'), text('sha256') ?? ''];
  const provider = text('provider') ?? '';
  if (version === null) {
    return { provider, version, kernel, sha256, license: null, origins: [], correspondingSource: [] };
  }
  const {
    license,
    correspondingSource: urls,
    sourceDigests = {},
  } = context.pins.firmware.providers[context.config.firmware];
  const correspondingSource = urls.map((url) => ({ url, digest: sourceDigests[url] ?? null }));
  return { provider, version, kernel, sha256, license, origins: originsOf(context), correspondingSource };
}

function originsOf({ config, pins }: StepContext): Origin[] {
  const { sources, archive, member } = firmwareArtifact(config, pins);
  const digest = archive.integrity ?? `sha256 ${archive.sha256}`;
  return sources.map((source) => ({
    place: source.kind === 'npm' ? `the npm package ${source.package} ${source.version}` : source.url,
    member,
    digest,
  }));
}

/** What the three binaries ask to pass on. */
async function readLinked(context: StepContext): Promise<LinkedNotices> {
  const noticesOf = (step: 'libkrun' | 'launcher' | 'addon') => readLinkedNotices(context.need(step).dir);
  const all = await Promise.all([noticesOf('libkrun'), noticesOf('launcher'), noticesOf('addon')]);
  return { crates: mergeLinked(all.map(({ crates }) => crates)), rust: all[0].rust };
}

/** Crates of the three binaries, each from the lock that it was built with. */
async function readCrates(context: StepContext): Promise<Crate[]> {
  const locks = [
    { root: 'libkrun', lock: join(context.need('source').dir, 'Cargo.lock'), facts: context.need('libkrun').facts },
    {
      root: LAUNCHER,
      lock: join(context.config.toolRoot, 'native', 'Cargo.lock'),
      facts: context.need('launcher').facts,
    },
    {
      root: 'krun-napi',
      lock: join(context.need('bindings').dir, COMMITTED, 'napi', 'Cargo.lock'),
      facts: context.need('addon').facts,
    },
  ];
  const lists = locks.map(async ({ root, lock, facts }) => {
    const text = await withDiskErrors(lock, () => readFile(lock, 'utf8'));
    return cratesBelow(text, root, lock, licensesOf(facts));
  });
  return mergeCrates(await Promise.all(lists));
}

/** What cargo told about the crates of a build, where the step kept it. */
function licensesOf(facts: Facts): CrateLicenses | undefined {
  const crates = facts['crates'];
  if (typeof crates !== 'object' || crates === null || Array.isArray(crates)) return undefined;
  const entries = Object.entries(crates).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(entries);
}
