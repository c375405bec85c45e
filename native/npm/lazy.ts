/**
 * An object that has the properties of what `load` returns, and calls it only when one of them is asked for. It cannot
 * be changed.
 */
export function lazyObject(load: () => object): object {
  const target: Record<string, unknown> = Object.create(null);
  let filled = false;
  // The properties are copied onto the target: a proxy may not tell of properties that its target does not have as it
  // says.
  const fill = (): Record<string, unknown> => {
    if (!filled) {
      Object.assign(target, load());
      filled = true;
    }
    return target;
  };
  const refuse = (): boolean => false;
  return new Proxy(target, {
    // Symbols are what Node and test tools probe any object with, and libkrun has none.
    get: (_target, name) => (typeof name === 'symbol' ? undefined : Reflect.get(fill(), name)),
    has: (_target, name) => typeof name !== 'symbol' && Reflect.has(fill(), name),
    ownKeys: () => Reflect.ownKeys(fill()),
    getOwnPropertyDescriptor: (_target, name) => Reflect.getOwnPropertyDescriptor(fill(), name),
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
    setPrototypeOf: refuse,
  });
}
