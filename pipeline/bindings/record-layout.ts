import type { CType, RecordItem } from './ir.ts';

/** In bytes. */
export interface Extent {
  readonly size: number;
  readonly align: number;
}

/** Size and alignment of a type, or null when it has none (void, an opaque record). */
export type Measure = (type: CType) => Extent | null;

/** Makes a measure for a target whose pointers have `pointerBytes`, knowing the named types by `lookUp`. */
export function measureWith(
  pointerBytes: number,
  lookUp: (name: string) => CType | RecordItem | Extent | null,
): Measure {
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
        if (found === null || 'size' in found) return found;
        return found.kind === 'record' ? found.layout : measure(found);
      }
    }
  };
  return measure;
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
