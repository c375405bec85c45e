import type { CType, HeaderIr } from './ir.ts';

/** Follows typedefs and enums of the headers down to a type that is not a name; unknown names and records stay. */
export type Resolve = (type: CType) => CType;

/** Longest chain of typedefs followed; a longer one in a header is a cycle. */
const MAX_CHAIN = 64;

/** Makes the resolver for the names that `ir` declares. */
export function findNamed(ir: HeaderIr): Resolve {
  const known = new Map<string, CType>();
  for (const item of ir.items) {
    if (item.kind === 'typedef' || item.kind === 'enum') known.set(item.name, item.type);
  }
  return resolver((name) => known.get(name));
}

/** Makes a resolver from what one name stands for. */
export function resolver(find: (name: string) => CType | undefined): Resolve {
  return (type) => {
    let current = type;
    for (let step = 0; step < MAX_CHAIN && current.kind === 'named'; step++) {
      const next = find(current.name);
      if (next === undefined) return current;
      current = next;
    }
    return current;
  };
}
