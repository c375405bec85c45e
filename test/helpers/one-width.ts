const LONG_LONG = /("kind":"standard","name":"\w+","type":\{"kind":"scalar","scalar":"(?:unsigned )?long) long"/g;

/** Raw units where a standard type of 64 bits is `long` for every target: for some it is `long long`, which is as wide. */
export function asOneWidth(units: unknown): unknown {
  return JSON.parse(JSON.stringify(units).replace(LONG_LONG, '$1"'));
}
