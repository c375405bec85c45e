/**
 * The shortest decimal that reads back as the same value, or `inf`, `-inf`, `nan`.
 * @param image the bits that make up the value as a `double`, in decimal.
 * @param bits width of the type that it is read back as.
 */
export function floatText(image: string, bits: 32 | 64): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(image));
  const value = view.getFloat64(0);
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0';
  if (bits === 64) return String(value);
  // Nine digits tell any two floats apart.
  const digits = [1, 2, 3, 4, 5, 6, 7, 8, 9].find((count) => Math.fround(Number(value.toPrecision(count))) === value);
  return String(Number(value.toPrecision(digits ?? 9)));
}

/** A float's decimal as an expression of Rust. */
export function rustFloat(text: string, bits: 32 | 64): string {
  const special = SPECIAL[text];
  if (special !== undefined) return `f${bits}::${special}`;
  return /[.e]/.test(text) ? text : `${text}.0`;
}

const SPECIAL: Readonly<Record<string, string>> = { nan: 'NAN', inf: 'INFINITY', '-inf': 'NEG_INFINITY' };
