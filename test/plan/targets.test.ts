import { describe, expect, it } from 'vitest';
import { hostTarget, TARGETS, targetByName } from '../../pipeline/plan/targets.ts';

const host = TARGETS['linux-x64'];

describe('the host', () => {
  it.each([
    ['linux', 'x64', 'linux-x64'],
    ['linux', 'arm64', 'linux-arm64'],
    ['darwin', 'arm64', 'darwin-arm64'],
  ])('%s on %s is %s', (platform, arch, id) => {
    expect(hostTarget(platform, arch).id).toBe(id);
  });

  it.each([
    ['win32', 'x64', 'Windows is not supported'],
    ['darwin', 'x64', 'Intel Macs are not supported'],
    ['freebsd', 'x64', 'freebsd-x64 is not supported'],
    ['linux', 'riscv64', 'linux-riscv64 is not supported'],
  ])('%s on %s is refused by name', (platform, arch, message) => {
    expect(() => hostTarget(platform, arch)).toThrow(expect.objectContaining({ code: 'A3S1002', message }));
  });
});

describe('a target named', () => {
  it('host is the host', () => {
    expect(targetByName('host', host)).toBe(host);
  });

  it.each(Object.values(TARGETS))('$triple is what Rust calls $id', (target) => {
    expect(targetByName(target.triple, host)).toBe(target);
  });

  it.each(['windows', 'win32-x64', 'x86_64-pc-windows-msvc', 'darwin-x64', 'macos-x64', 'x86_64-apple-darwin'])(
    '%s is known as unsupported',
    (name) => {
      expect(() => targetByName(name, host)).toThrow(expect.objectContaining({ code: 'A3S1002' }));
    },
  );

  it.each([
    ['linux-x86', 'did you mean linux-x64?'],
    ['x86_64-unknown-linux-musl', 'known: linux-x64, linux-arm64, darwin-arm64'],
    ['linux-x64-gnu', 'did you mean linux-x64?'],
    ['something-else-altogether', 'known: linux-x64, linux-arm64, darwin-arm64'],
  ])('%s is answered with what was meant', (name, hint) => {
    expect(() => targetByName(name, host)).toThrow(
      expect.objectContaining({ code: 'A3S1003', message: expect.stringContaining(hint) }),
    );
  });
});
