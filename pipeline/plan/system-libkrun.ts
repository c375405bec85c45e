/** A libkrun that is installed on this system, or a place where there is none. */
export interface SystemCandidate {
  /** Where it was looked for: `pkg-config`, or a folder. */
  readonly origin: string;
  /** Absolute path of the file itself, without links; null where there is none. */
  readonly library: string | null;
  /** The guest kernel that goes with it, likewise. */
  readonly firmware: string | null;
  /** Version as pkg-config tells it, else from the file's name. */
  readonly version: string | null;
  /** Why it cannot be used, where that is known before the files are read. */
  readonly refused: string | null;
}

/** Folder of the libkrun step's output that holds the guest kernel of an accepted library. */
export const SYSTEM_FIRMWARE = 'firmware';

/** Oldest version that pkg-config may name. */
export const OLDEST_SYSTEM_LIBKRUN = '1.0.0';

/** Functions of the header that a libkrun has only with the feature. */
export const FEATURE_FUNCTIONS: Readonly<Record<string, readonly string[]>> = {
  net: ['krun_add_net_'],
  blk: ['krun_add_disk'],
};
