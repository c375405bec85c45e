import type { CType, RecordItem } from './ir.ts';

/** Size and alignment of a type in bytes, or null when it has none (void, an opaque record). */
export type Measure = (type: CType) => { readonly size: number; readonly align: number } | null;

/** Makes a measure for a target whose pointers have `pointerBytes`, knowing the named types by `lookUp`. */
export function measureWith(pointerBytes: number, lookUp: (name: string) => CType | RecordItem | null): Measure {
  const measure: Measure = (type) => {
    switch (type.kind) {
      case 'void':
      case 'function':
        return null;
      case 'bool':
      case 'char':
        return { size: 1, align: 1 };
      case 'integer':
      case 'float':
        return { size: type.bits / 8, align: type.bits / 8 };
      case 'pointer':
        return { size: pointerBytes, align: pointerBytes };
      case 'array': {
        const element = measure(type.element);
        return element === null ? null : { size: element.size * (type.length ?? 0), align: element.align };
      }
      case 'named': {
        const found = lookUp(type.name);
        if (found === null) return null;
        return found.kind === 'record' ? found.layout : measure(found);
      }
    }
  };
  return measure;
}

/**
 * True when the plain C rules (each field at the next multiple of its alignment) give the layout that the compiler
 * reports. Packed and over-aligned records fail, and so does every record whose fields were not read rightly.
 */
export function hasNaturalLayout(record: RecordItem, measure: Measure): boolean {
  let end = 0;
  let largest = 0;
  let align = 1;
  for (const field of record.fields) {
    const size = measure(field.type);
    if (size === null) return false;
    const offset = record.union ? 0 : roundUp(end, size.align);
    if (offset !== field.offset) return false;
    end = offset + size.size;
    largest = Math.max(largest, end);
    align = Math.max(align, size.align);
  }
  return record.layout?.align === align && record.layout.size === roundUp(largest, align);
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
