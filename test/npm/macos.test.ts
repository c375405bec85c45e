import { describe, expect, it } from 'vitest';
import { VmError } from '../../native/npm/api.ts';
import { type Answer, askMac, type MacFacts, macCauses } from '../../native/npm/macos.ts';
import { explainEnd, systemCauses } from '../../native/npm/system-causes.ts';

const ENTITLED = '<plist version="1.0"><dict><key>com.apple.security.hypervisor</key>\n\t<true/></dict></plist>';
const GOOD: MacFacts = { hvSupport: '1', signed: true, entitlements: ENTITLED };

describe('macCauses', () => {
  it('finds nothing on a Mac where all is well, or one that gives no answer', () => {
    expect(macCauses(GOOD)).toEqual([]);
    expect(macCauses({ hvSupport: null, signed: null, entitlements: null })).toEqual([]);
  });

  it.each<[string, Partial<MacFacts>, string]>([
    ['a virtual Mac', { hvSupport: '0' }, 'kern.hv_support is 0'],
    ['a launcher without entitlements', { entitlements: '' }, 'lacks the entitlement com.apple.security.hypervisor'],
    ['the entitlement set to false', { entitlements: ENTITLED.replace('true/', 'false/') }, 'lacks the entitlement'],
    ['a longer name', { entitlements: ENTITLED.replace('visor<', 'visor.more<') }, 'lacks the entitlement'],
    ['a launcher that was changed', { signed: false }, 'signature does not fit its bytes'],
  ])('names %s', (_name, facts, words) => {
    const causes = macCauses({ ...GOOD, ...facts });
    expect(causes).toHaveLength(1);
    expect(causes[0]).toContain(words);
  });

  it('names all that is missing', () => {
    expect(macCauses({ hvSupport: '0', signed: false, entitlements: '' })).toHaveLength(3);
  });
});

describe('askMac', () => {
  const answers =
    (table: Record<string, Answer>) =>
    (command: string, args: readonly string[]): Promise<Answer> =>
      Promise.resolve(table[`${command} ${args[0]}`] ?? { code: null, output: '' });

  it('reads what sysctl and codesign print', async () => {
    const ask = answers({
      '/usr/sbin/sysctl -n': { code: 0, output: '1\n' },
      '/usr/bin/codesign --verify': { code: 0, output: '' },
      '/usr/bin/codesign --display': { code: 0, output: ENTITLED },
    });
    expect(await askMac('/x/krun-launcher', ask)).toEqual(GOOD);
  });

  it('tells a bad signature from a codesign that is not there', async () => {
    const bad = answers({ '/usr/bin/codesign --verify': { code: 1, output: '' } });
    expect(await askMac('/x', bad)).toEqual({ hvSupport: null, signed: false, entitlements: null });
    expect((await askMac('/x', answers({}))).signed).toBeNull();
  });

  it('takes programs that cannot be started for no answer', async () => {
    // On Linux neither program is there; on a Mac the file is not.
    const facts = await askMac('/nonexistent/krun-launcher');
    expect(facts.entitlements).toBeNull();
  });
});

describe('explainEnd', () => {
  const killed = { exit: { code: 137, signal: 'SIGKILL' }, failure: undefined } as const;
  const causes = () => Promise.resolve(['the cause']);

  it('explains a launcher that the system killed', async () => {
    const error = await explainEnd('/x/krun-launcher', killed, causes);
    expect(error).toMatchObject({ code: 'LAUNCHER_NOT_STARTED', exitCode: 137 });
    expect(error?.message).toBe('/x/krun-launcher was ended by SIGKILL: the cause');
  });

  it('explains a VM that libkrun was refused, and keeps what was reported', async () => {
    const failure = new VmError('LAUNCHER_CALL', 'it failed', { function: 'krun_start_enter', errno: 22 });
    const error = await explainEnd('/x', { exit: { code: 125, signal: null }, failure }, causes);
    expect(error).toMatchObject({ code: 'LAUNCHER_CALL', function: 'krun_start_enter', errno: 22, cause: failure });
    expect(error?.message).toBe('it failed: the cause');
  });

  it('leaves other ends as they are, and asks nothing', async () => {
    const never = () => Promise.reject(new Error('asked'));
    const failure = new VmError('LAUNCHER_LIBRARY', 'gone');
    expect(await explainEnd('/x', { exit: { code: 125, signal: null }, failure }, never)).toBeUndefined();
    expect(await explainEnd('/x', { exit: { code: 0, signal: null }, failure: undefined }, never)).toBeUndefined();
  });

  it('says nothing where no cause was found', async () => {
    expect(await explainEnd('/x', killed, () => Promise.resolve([]))).toBeUndefined();
  });

  it('is there for macOS only', () => {
    expect(systemCauses('darwin')).toBeTypeOf('function');
    expect(systemCauses('linux')).toBeUndefined();
  });
});
