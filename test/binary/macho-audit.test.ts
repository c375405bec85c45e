import { describe, expect, it } from 'vitest';
import { readMachO } from '../../pipeline/binary/macho.ts';
import { auditMachO, type MachOExpectation } from '../../pipeline/binary/macho-audit.ts';
import { entitlementsDer, entitlementsXml, HYPERVISOR, type MadeMachO, makeMachO } from './make-macho.ts';

const SYSTEM = '/usr/lib/libSystem.B.dylib';
const ENTITLED = { entitlements: entitlementsXml(HYPERVISOR), der: entitlementsDer(HYPERVISOR) };

const MADE: MadeMachO = {
  symbols: [
    { name: '_made_open', address: 64 },
    { name: '_made_close', address: 80 },
    { name: '_puts' },
    { name: '_napi_wrap', ordinal: 0xfe },
    { name: '_maybe', ordinal: 0xfe, weak: true },
  ],
  signature: ENTITLED,
};

const EXPECTED: MachOExpectation = {
  cpu: 'arm64',
  form: 'library',
  installName: '@rpath/libmade.1.dylib',
  rpaths: [],
  needed: [SYSTEM],
  exports: { required: ['made_open', 'made_close'] },
  systemLimit: '11.0',
  flatImports: ['napi_*'],
  entitlements: { [HYPERVISOR]: true },
  forbiddenText: ['/Users/builder/'],
};

function audit(change: MadeMachO, expected: MachOExpectation = EXPECTED) {
  const bytes = makeMachO({ ...MADE, ...change });
  return auditMachO(bytes, readMachO(bytes), expected);
}

const but = (change: MachOExpectation): MachOExpectation => ({ ...EXPECTED, ...change });

/** One row for each way a file can differ: what was changed, the check that reports it, and its whole message. */
type Difference = [
  name: string,
  check: string,
  message: string | RegExp,
  change: MadeMachO,
  expected?: MachOExpectation,
];
const DIFFERENCES: Difference[] = [
  ['another processor', 'machine', "processor is 'x86_64' instead of 'arm64'", { cpu: 0x01000007 }],
  ['a processor with signed pointers', 'machine', "processor is 'arm64e' instead of 'arm64'", { subtype: 2 }],
  ['another form', 'form', "form is 'library' instead of 'bundle'", {}, but({ form: 'bundle' })],
  [
    'a folder of the build machine as install name',
    'installName',
    "install name is '/target/libmade.dylib' instead of '@rpath/libmade.1.dylib'",
    { installName: '/target/libmade.dylib' },
  ],
  ['a stray rpath', 'rpath', 'rpaths are /opt instead of none', { rpaths: ['/opt'] }],
  [
    'rpaths in another order',
    'rpath',
    'rpaths are a, b instead of b, a',
    { rpaths: ['a', 'b'] },
    but({ rpaths: ['b', 'a'] }),
  ],
  [
    'a library that is not allowed',
    'needed',
    `needs /opt/homebrew/lib/libz.dylib; allowed: ${SYSTEM}`,
    { libraries: [SYSTEM, '/opt/homebrew/lib/libz.dylib'] },
  ],
  [
    'a library that is not allowed, though weak',
    'needed',
    `needs /x; allowed: ${SYSTEM}`,
    { libraries: ['/x'], loadCommand: 0x80000018 },
  ],
  [
    'missing exports',
    'exports',
    'does not export made_start',
    {},
    but({
      exports: {
        required: ['made_open', 'made_start', 'made_tee'],
        mayBeMissing: ['made_tee'],
        alsoAllowed: ['made_close'],
      },
    }),
  ],
  ['unexpected exports', 'exports', 'also exports made_close', {}, but({ exports: { required: ['made_open'] } })],
  ['a newer system', 'system', 'needs macOS 14.0; the limit is 11.0', { minimum: [14, 0, 0] }],
  ['another system', 'system', 'is built for ios, not for macos', { platform: 2 }],
  ['no system', 'system', 'does not say which macOS it is built for', { platform: null }],
  [
    'a flat import',
    'unversionedImports',
    'imports _napi_wrap from no known library',
    {},
    but({ flatImports: ['uv_*'] }),
  ],
  ['no signature', 'signature', 'is not signed', { signature: null }],
  [
    'a signature of somebody',
    'signature',
    'is signed by somebody, not ad hoc',
    { signature: { ...ENTITLED, flags: 0 } },
  ],
  [
    'an entitlement too many',
    'signature',
    `has the entitlements ${HYPERVISOR} instead of none`,
    {},
    but({ entitlements: null }),
  ],
  [
    'an entitlement that is false',
    'signature',
    `has the entitlements ${HYPERVISOR} instead of ${HYPERVISOR}=false`,
    {},
    but({ entitlements: { [HYPERVISOR]: false } }),
  ],
  [
    'entitlements that newer systems cannot read',
    'signature',
    'has its entitlements in XML only, not in DER',
    { signature: { entitlements: ENTITLED.entitlements } },
  ],
  [
    'a path of the build machine',
    'forbiddenText',
    /^holds '\/Users\/builder\/' once, first at offset \d+/,
    { text: 'at /Users/builder/x.rs' },
  ],
];

describe('auditMachO', () => {
  it('finds nothing in a file that is as expected', () => {
    expect(audit({})).toEqual([]);
  });

  it('checks nothing that is not expected', () => {
    expect(audit({ cpu: 0x01000007, signature: null, platform: null, rpaths: ['/opt'] }, {})).toEqual([]);
  });

  it.each(DIFFERENCES)('reports %s', (_, check, message, change, expected) => {
    const text = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(audit(change, expected)).toEqual([{ check, message: text }]);
  });

  it('reports a program that lost its entitlement', () => {
    const message = `has the entitlements none instead of ${HYPERVISOR}`;
    expect(audit({ signature: {} })).toEqual([{ check: 'signature', message }]);
  });

  it('passes on what is wrong with the signature itself', () => {
    const bytes = makeMachO(MADE);
    bytes.write('tEXT', bytes.indexOf('text'), 'latin1');
    expect(auditMachO(bytes, readMachO(bytes), EXPECTED)).toEqual([
      { check: 'signature', message: '1 of 1 page hashes (sha256) differ from the file: page 0' },
    ]);
  });
});
