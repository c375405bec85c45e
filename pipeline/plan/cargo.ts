import { dirname, join } from 'node:path';

/** Cargo features of libkrun that every build has: virtio-net and virtio-blk. */
export const LIBKRUN_FEATURES: readonly string[] = ['net', 'blk'];

/** Names under which cargo looks for its configuration in each folder, the older spelling first. */
const CONFIG_NAMES = ['config', 'config.toml'] as const;

/**
 * Every place where cargo would look for configuration when run in `folder`: `.cargo` of the folder and of all its
 * parents, then cargo's home. Pure: says where to look, not what is there.
 */
export function cargoConfigPlaces(folder: string, cargoHome: string): readonly string[] {
  const folders: string[] = [];
  for (let current = folder; ; current = dirname(current)) {
    folders.push(join(current, '.cargo'));
    if (dirname(current) === current) break;
  }
  const all = [...folders, cargoHome].flatMap((place) => CONFIG_NAMES.map((name) => join(place, name)));
  return [...new Set(all)];
}

/** Asks the lld of the system what it is. */
export const LLD_VERSION = { command: 'ld.lld', args: ['--version'] } as const;

/** Whether a compiler is told to link with lld. */
export function asksForLld({ args }: { readonly args: readonly string[] }): boolean {
  return args.some((argument) => /^-fuse-ld=lld/.test(argument));
}
