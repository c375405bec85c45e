import { describe, expect, it } from 'vitest';
import { hypervisorFunctions, hypervisorStub } from '../../pipeline/plan/hypervisor-stub.ts';

const DECLARATIONS = `
pub type hv_return_t = i32;
pub const hv_other: u32 = 1;
extern "C" {
    pub fn hv_vm_create(config: hv_vm_config_t) -> hv_return_t;
}
unsafe extern "C" {
    pub fn hv_gic_create(config: hv_gic_config_t) -> hv_return_t;
    pub fn hv_vm_create(config: hv_vm_config_t) -> hv_return_t;
    pub fn mach_absolute_time() -> u64;
}
`;

describe('hypervisorFunctions', () => {
  it('lists every function once, sorted, and no other name', () => {
    expect(hypervisorFunctions(DECLARATIONS)).toEqual(['hv_gic_create', 'hv_vm_create']);
  });

  it('refuses a source that declares none', () => {
    expect(() => hypervisorFunctions('pub fn other() {}', '/x/bindings.rs')).toThrowError(
      expect.objectContaining({ code: 'A3S1220', message: expect.stringContaining('/x/bindings.rs') }),
    );
  });
});

describe('hypervisorStub', () => {
  it('is a library stub as linkers for macOS read it', () => {
    expect(hypervisorStub(['hv_gic_create', 'hv_vm_create'])).toBe(`--- !tapi-tbd
tbd-version:     4
targets:         [ arm64-macos ]
install-name:    '/System/Library/Frameworks/Hypervisor.framework/Versions/A/Hypervisor'
exports:
  - targets:         [ arm64-macos ]
    symbols:         [ _hv_gic_create, _hv_vm_create ]
...
`);
  });
});
