import { describe, expect, it } from 'vitest';
import { readMachO } from '../../pipeline/binary/macho.ts';
import { seededRandom } from './damage.ts';
import { machoOutcome } from './macho-damage.ts';
import {
  command,
  entitlementsDer,
  entitlementsXml,
  HYPERVISOR,
  type MadeMachO,
  type MadeSignature,
  makeMachO,
  makeMachOParts,
} from './make-macho.ts';

const FULL: MadeMachO = {
  installName: '@rpath/libmade.1.dylib',
  libraries: ['/usr/lib/libSystem.B.dylib', '/usr/lib/libz.1.dylib'],
  rpaths: ['@loader_path', '@loader_path/../lib'],
  minimum: [13, 2, 1],
  symbols: [
    { name: '_made_open', address: 64 },
    { name: '_made_weak', address: 128, weak: true },
    { name: '_hidden', address: 192, private: true },
    { name: '_puts' },
    { name: '_deflate', ordinal: 2, weak: true },
    { name: '_napi_wrap', ordinal: 0xfe },
    { name: '_own', ordinal: 0 },
    { name: '_of_program', ordinal: 0xff },
  ],
};
const NAMES = ['_made_open', '_made_weak'];

describe('readMachO on hand-made files', () => {
  it('reads what a library says about itself', () => {
    expect(readMachO(makeMachO(FULL))).toMatchObject({
      cpu: 'arm64',
      form: 'library',
      installName: '@rpath/libmade.1.dylib',
      libraries: [
        { name: '/usr/lib/libSystem.B.dylib', kind: 'needed' },
        { name: '/usr/lib/libz.1.dylib', kind: 'needed' },
      ],
      rpaths: ['@loader_path', '@loader_path/../lib'],
      platforms: [{ platform: 'macos', minimum: '13.2.1', sdk: '14.5' }],
    });
  });

  it('joins imports with the libraries that they come from', () => {
    expect(readMachO(makeMachO(FULL)).imports).toEqual([
      { name: '_puts', weak: false, from: { library: '/usr/lib/libSystem.B.dylib' } },
      { name: '_deflate', weak: true, from: { library: '/usr/lib/libz.1.dylib' } },
      { name: '_napi_wrap', weak: false, from: 'any' },
      { name: '_own', weak: false, from: 'self' },
      { name: '_of_program', weak: false, from: 'executable' },
    ]);
    const flat = readMachO(makeMachO({ ...FULL, flags: 0 })).imports;
    expect(flat.every(({ from }) => from === 'any')).toBe(true);
  });

  it.each(['trie', 'info', 'symbols'] as const)('finds the same exports in the %s', (exportsIn) => {
    const { exports } = readMachO(makeMachO({ ...FULL, exportsIn }));
    expect(exports.map(({ name }) => name)).toEqual(NAMES);
    expect(exports[0]).toEqual({ name: '_made_open', weak: false, kind: 'regular', address: 64n });
    expect(exports[1]?.weak).toBe(true);
  });

  it.each([
    [0x80000018, 'weak'],
    [0x8000001f, 'reexport'],
    [0x80000023, 'upward'],
    [0x20, 'lazy'],
  ])('reads the load command 0x%s as %s', (loadCommand, kind) => {
    expect(readMachO(makeMachO({ loadCommand })).libraries).toEqual([{ name: '/usr/lib/libSystem.B.dylib', kind }]);
  });

  it('tells processors and forms apart', () => {
    const read = (made: MadeMachO) => readMachO(makeMachO(made));
    expect(read({ cpu: 0x01000007 }).cpu).toBe('x86_64');
    expect(read({ subtype: 0x80000002 }).cpu).toBe('arm64e');
    expect([1, 2, 6, 8].map((type) => read({ type }).form)).toEqual(['object', 'executable', 'library', 'bundle']);
    expect(read({ type: 2 }).installName).toBeNull();
  });

  it('reads the older way to state a system, and systems that it does not know', () => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32LE((10 << 16) | (15 << 8), 0);
    const old = readMachO(makeMachO({ platform: null, extraCommands: [command(0x24, bytes)] }));
    expect(old.platforms).toEqual([{ platform: 'macos', minimum: '10.15', sdk: '0.0' }]);
    expect(readMachO(makeMachO({ platform: 99 })).platforms[0]?.platform).toBe('platform-99');
  });

  it('reads a view into larger bytes', () => {
    const bytes = makeMachO(FULL);
    const larger = Buffer.concat([Buffer.alloc(13), bytes, Buffer.alloc(7)]);
    expect(readMachO(larger.subarray(13, 13 + bytes.length)).signature?.problems).toEqual([]);
  });
});

describe('the code signature', () => {
  const signatureOf = (bytes: Buffer) => readMachO(bytes).signature;
  const entitled = {
    identifier: 'krun-launcher',
    entitlements: entitlementsXml(HYPERVISOR),
    der: entitlementsDer(HYPERVISOR),
  };
  /** Longer than one page. */
  const text = 'x'.repeat(9000);

  it('holds for a file that nobody changed, with its entitlements in both forms', () => {
    expect(signatureOf(makeMachO({ type: 2, text, signature: entitled }))).toMatchObject({
      directories: [{ identifier: 'krun-launcher', team: null, adHoc: true, hashType: 'sha256', pageSize: 4096 }],
      entitlements: { [HYPERVISOR]: true },
      derEntitlements: { [HYPERVISOR]: true },
      hasCertificate: false,
      problems: [],
    });
  });

  it('is null where there is none', () => {
    expect(signatureOf(makeMachO({ signature: null }))).toBeNull();
  });

  it('reads the marks of a linker and of the hardened runtime', () => {
    const directory = (flags: number) => signatureOf(makeMachO({ signature: { flags } }))?.directories[0];
    expect(directory(0x20002)).toMatchObject({ adHoc: true, linkerSigned: true, hardenedRuntime: false });
    expect(directory(0x10000)).toMatchObject({ adHoc: false, linkerSigned: false, hardenedRuntime: true });
  });

  it('names the strongest of several directories first, and checks all', () => {
    const parts = makeMachOParts({ text, signature: { hashTypes: [1, 2] } });
    expect(signatureOf(parts.bytes)?.directories.map(({ hashType }) => hashType)).toEqual(['sha256', 'sha1']);
    parts.bytes.writeUInt8(0x79, parts.text + 5000);
    expect(signatureOf(parts.bytes)?.problems).toEqual([
      '1 of 3 page hashes (sha256) differ from the file: page 1',
      '1 of 3 page hashes (sha1) differ from the file: page 1',
    ]);
  });

  it('takes pages of another size, and one hash over everything', () => {
    for (const pageShift of [0, 14]) {
      const parts = makeMachOParts({ text, signature: { pageShift } });
      expect(signatureOf(parts.bytes)?.problems).toEqual([]);
      parts.bytes.writeUInt8(0x79, parts.text);
      expect(signatureOf(parts.bytes)?.problems).toHaveLength(1);
    }
  });

  it('sees one changed bit in every byte before it', () => {
    const parts = makeMachOParts({ text: 'short' });
    const { signature } = parts;
    let seen = 0;
    for (let at = 0; at < signature; at += 1) {
      const bytes = Buffer.from(parts.bytes);
      bytes.writeUInt8((bytes[at] ?? 0) ^ 1, at);
      if (machoOutcome(bytes) !== 'sound') seen += 1;
    }
    expect(seen).toBe(signature);
  });

  it('sees changed, missing and added entitlements', () => {
    const parts = makeMachOParts({ type: 2, signature: entitled });
    const changed = Buffer.from(parts.bytes);
    changed.write('never', changed.indexOf('hypervisor'), 'latin1');
    expect(signatureOf(changed)?.problems).toContain(
      'part 5 of the signature differs from its hash in the code directory krun-launcher (sha256)',
    );
    const unslotted = makeMachO({ type: 2, signature: { extra: [[5, Buffer.from(entitlementsBlob())]] } });
    expect(signatureOf(unslotted)?.problems).toContain(
      'part 5 of the signature has no hash in the code directory made (sha256)',
    );
    const remade = (signature: MadeSignature) => makeMachO({ type: 2, signature: { ...entitled, ...signature } });
    const differing = remade({ der: entitlementsDer(HYPERVISOR, 'more') });
    expect(signatureOf(differing)?.problems).toContain('the entitlements in XML and in DER differ');
    const broken = remade({ entitlements: entitlementsXml(HYPERVISOR).replace('</dict>', '') });
    expect(signatureOf(broken)?.problems).toContain('the entitlements are no property list');
    const missing = Buffer.from(parts.bytes);
    const index = parts.signature + 12 + 2 * 8;
    expect(missing.readUInt32BE(index)).toBe(5);
    missing.writeUInt32BE(0x50, index);
    expect(signatureOf(missing)?.problems).toContain(
      'part 5 of the signature is missing, though the code directory krun-launcher (sha256) has its hash',
    );
  });

  it('sees code that the hashes do not cover, and bytes behind the signature', () => {
    const parts = makeMachOParts({ text });
    expect(signatureOf(Buffer.concat([parts.bytes, Buffer.from('more')]))?.problems).toEqual([
      '4 bytes come after the signature',
    ]);
    const short = Buffer.from(parts.bytes);
    const limit = short.indexOf(Buffer.from('fade0c02', 'hex')) + 32;
    short.writeUInt32BE(short.readUInt32BE(limit) - 1, limit);
    expect(signatureOf(short)?.problems[0]).toMatch(/^the hashes cover \d+ bytes of the \d+ before the signature$/);
  });

  function entitlementsBlob(): Buffer {
    const text = Buffer.from(entitlementsXml(HYPERVISOR));
    const head = Buffer.alloc(8);
    head.writeUInt32BE(0xfade7171, 0);
    head.writeUInt32BE(8 + text.length, 4);
    return Buffer.concat([head, text]);
  }
});

describe('readMachO on damaged files', () => {
  const parts = makeMachOParts({
    ...FULL,
    signature: { hashTypes: [1, 2], entitlements: entitlementsXml(HYPERVISOR), der: entitlementsDer(HYPERVISOR) },
  });
  const whole = parts.bytes;
  const code = whole.subarray(0, parts.signature);

  it('refuses every truncation', () => {
    for (let end = 0; end < whole.length; end += 1) {
      expect(machoOutcome(whole.subarray(0, end)), `cut at ${end}`).toBe('refused');
    }
  });

  it('reads or refuses, never crashes, whatever bits are flipped', () => {
    const random = seededRandom(7);
    const outcomes = new Map<string, number>();
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = Buffer.from(whole);
      for (let flips = 1 + random(8); flips > 0; flips -= 1) {
        const at = random(bytes.length);
        bytes.writeUInt8((bytes[at] ?? 0) ^ (1 << random(8)), at);
      }
      const outcome = machoOutcome(bytes);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      // Nothing vouches for an ad-hoc signature itself; what it covers it must vouch for.
      if (outcome === 'sound') expect(bytes.subarray(0, code.length).equals(code)).toBe(true);
    }
    for (const outcome of ['refused', 'unsound']) expect(outcomes.get(outcome), outcome).toBeGreaterThan(1000);
  });

  it('reads or refuses, never crashes, whatever words are overwritten', () => {
    const random = seededRandom(8);
    const values = [0, 1, 7, 0x7fffffff, 0x80000000, 0xffffffff, whole.length, whole.length - 1];
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = Buffer.from(whole);
      const value = values[random(values.length)] ?? 0;
      const at = random(Math.floor(bytes.length / 4)) * 4;
      if (random(2) === 0) bytes.writeUInt32LE(value, at);
      else bytes.writeUInt32BE(value, at);
      if (machoOutcome(bytes) === 'sound') expect(bytes.subarray(0, code.length).equals(code)).toBe(true);
    }
  });
});
