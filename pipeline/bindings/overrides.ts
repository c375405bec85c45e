import type { FailurePlace } from '../plan/errors.ts';
import type { ParameterRole, ReturnMeaning } from './ir.ts';
import type { RawUnit } from './libclang/raw.ts';

/** What a person found out by reading the implementation, because the header does not say it. */
export interface Override {
  readonly function: string;
  /** What the returned number means; the comment decides when left out. */
  readonly returns?: ReturnMeaning | undefined;
  /** By C name. */
  readonly parameters?: Readonly<Record<string, ParameterOverride>> | undefined;
  /** Why this is true: what the implementation does. */
  readonly reason: string;
  /** Where the entry stands, when it is not one of the built-in table. */
  readonly place?: FailurePlace | undefined;
}

/** A role that can be given; a parameter that counts another one's bytes takes its role from that one. */
export type GivenRole = Exclude<ParameterRole, { readonly of: string }>;

export interface ParameterOverride {
  readonly role?: GivenRole | undefined;
  readonly nullable?: boolean | undefined;
}

const MAC_ADDRESS = { role: { kind: 'fixed-bytes', length: 6 } } as const;
const STRING_ARRAY = { role: { kind: 'string-array' } } as const;

/**
 * Reviewed against the implementation of libkrun 1.17. An entry wins over the doc comment. A test holds the table
 * against the committed lock, so that it cannot rot; see {@link overridesFor} for other versions of the header.
 */
export const LIBKRUN_OVERRIDES: readonly Override[] = [
  {
    function: 'krun_add_vsock_port',
    returns: 'status',
    reason: 'Hands on to krun_add_vsock_port2.',
  },
  {
    function: 'krun_add_vsock_port2',
    returns: 'status',
    reason: 'Returns KRUN_SUCCESS, or -EINVAL, -EEXIST, -ENODEV, -ENOENT.',
  },
  {
    function: 'krun_set_console_output',
    returns: 'status',
    reason: 'Returns KRUN_SUCCESS, or -EINVAL, -ENOENT.',
  },
  {
    function: 'krun_set_root_disk_remount',
    returns: 'status',
    reason: 'Returns KRUN_SUCCESS, or -EINVAL, -ENOENT.',
  },
  {
    function: 'krun_add_net_tap',
    parameters: { c_tap_name: { role: { kind: 'string' } }, c_mac: MAC_ADDRESS },
    reason: 'Declared without const, but both are taken as pointers to const and only read; 6 bytes of the address.',
  },
  {
    function: 'krun_add_net_unixstream',
    parameters: { c_mac: MAC_ADDRESS },
    reason: 'Declared without const, but taken as *const u8; 6 bytes are read.',
  },
  {
    function: 'krun_add_net_unixgram',
    parameters: { c_mac: MAC_ADDRESS },
    reason: 'Declared without const, but taken as *const u8; 6 bytes are read.',
  },
  {
    function: 'krun_set_net_mac',
    parameters: { c_mac: MAC_ADDRESS },
    reason: 'Declared without const, but taken as *const u8; 6 bytes are read.',
  },
  {
    function: 'krun_set_gvproxy_path',
    parameters: { c_path: { role: { kind: 'string' } } },
    reason: 'Declared as char *, but taken as *const c_char and only read.',
  },
  {
    function: 'krun_set_mapped_volumes',
    parameters: { mapped_volumes: STRING_ARRAY },
    reason: 'Always returns -EINVAL and reads nothing; older versions read up to a null pointer.',
  },
  {
    function: 'krun_set_port_map',
    parameters: { port_map: { ...STRING_ARRAY, nullable: false } },
    reason:
      'Read up to a null pointer. The comment allows NULL, but the implementation reads from the pointer without a check: NULL crashes the process.',
  },
  {
    function: 'krun_set_rlimits',
    parameters: { rlimits: STRING_ARRAY },
    reason: 'Read up to a null pointer; NULL itself is refused with -EINVAL.',
  },
  {
    function: 'krun_set_exec',
    parameters: { argv: STRING_ARRAY, envp: STRING_ARRAY },
    reason: 'Both read up to a null pointer.',
  },
  {
    function: 'krun_set_env',
    parameters: { envp: STRING_ARRAY },
    reason: 'Read up to a null pointer.',
  },
];

/**
 * The overrides for headers, as read for one target or several: the user's entries, all of them, and the built-in ones of functions that the user says
 * nothing about. A built-in entry of a function that is not there has nothing to say (an older or newer libkrun.h); one
 * of a function whose parameters changed is reported by `toIr`, and an entry of the user's replaces it.
 */
export function overridesFor(units: readonly RawUnit[], own: readonly Override[] = []): readonly Override[] {
  const declared = new Set(units.flatMap(({ items }) => items.map(({ name }) => name)));
  const replaced = new Set(own.map((override) => override.function));
  const builtIn = LIBKRUN_OVERRIDES.filter(({ function: name }) => declared.has(name) && !replaced.has(name));
  return [...builtIn, ...own];
}
