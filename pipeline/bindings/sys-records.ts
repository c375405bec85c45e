import type { CType, Item, RecordItem } from './ir.ts';
import { arrange, type RustMember } from './rust-records.ts';
import { LINE_WIDTH, rustIdentifier } from './rust-text.ts';

/** A record with checks of its layout; bytes of the right size and alignment where Rust cannot say more. */
export function rustRecord(item: RecordItem, named: ReadonlyMap<string, Item>, write: (type: CType) => string): string {
  const name = rustIdentifier(item.name);
  if (item.layout === null) return `#[repr(C)]\npub struct ${name} {\n    _private: [u8; 0],\n}\n`;
  const { size, align } = item.layout;
  const arranged = arrange(item, named);
  if (arranged === null) {
    const body = `{\n    _bytes: [u8; ${size}],\n}\n`;
    return `#[repr(C, align(${align}))]\n#[derive(Clone, Copy)]\npub struct ${name} ${body}${assertions(item, [])}`;
  }
  const taken = new Set(item.fields.map((field) => rustIdentifier(field.name)));
  const members = arranged.members.map((member) => rustMember(member, taken, write));
  const fields = members.map((member) => `    pub ${member.name}: ${member.type},\n`);
  const keyword = item.union ? 'union' : 'struct';
  const head = `#[repr(${arranged.repr})]\n#[derive(Clone, Copy)]\npub ${keyword} ${name} {\n`;
  return `${head}${fields.join('')}}\n${assertions(item, members)}`;
}

interface WrittenMember {
  readonly name: string;
  readonly type: string;
  readonly offset: number;
}

function rustMember(member: RustMember, taken: ReadonlySet<string>, write: (type: CType) => string): WrittenMember {
  if (member.kind === 'field') {
    const { name, type, offset } = member.field;
    return { name: rustIdentifier(name), type: write(type), offset };
  }
  let name = `_${member.name}`;
  while (taken.has(name)) name = `_${name}`;
  return { name, type: `[u8; ${member.length}]`, offset: member.offset };
}

/**
 * Compile-time checks of what the C compiler said; a wrong field type cannot pass them. They speak of targets with
 * 64-bit pointers, which libkrun has alone; elsewhere the crate can be compiled as a stub.
 */
function assertions(item: RecordItem, members: readonly WrittenMember[]): string {
  if (item.layout === null) return '';
  const name = rustIdentifier(item.name);
  const checks = [
    `core::mem::size_of::<${name}>() == ${item.layout.size}`,
    `core::mem::align_of::<${name}>() == ${item.layout.align}`,
    ...members.map((member) => `core::mem::offset_of!(${name}, ${member.name}) == ${member.offset}`),
  ];
  return `#[cfg(target_pointer_width = "64")]\nconst _: () = {\n${checks.map(assertion).join('')}};\n`;
}

function assertion(check: string): string {
  const line = `    assert!(${check});\n`;
  return line.length <= LINE_WIDTH + 1 ? line : `    assert!(\n        ${check}\n    );\n`;
}
