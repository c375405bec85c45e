import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { emitAbi } from '../../pipeline/bindings/abi.ts';
import { emitDts } from '../../pipeline/bindings/emit-dts.ts';
import { emitNapi } from '../../pipeline/bindings/emit-napi.ts';
import { emitSys } from '../../pipeline/bindings/emit-sys.ts';
import { toIr } from '../../pipeline/bindings/header.ts';
import { parseHeaders } from '../../pipeline/bindings/libclang/embedded.ts';
import type { RawUnit } from '../../pipeline/bindings/libclang/raw.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { bundleWorker } from '../helpers/bundle-worker.ts';
import { REPOSITORY } from '../helpers/session.ts';

const [SMALL, LARGE] = [2_500, 10_000];
/** Four times the functions take four times as long when time is linear, sixteen times when it is quadratic. */
const LIMIT = 8;
const NATIVE = '/usr/lib/llvm-19/lib/libclang-19.so.1';
const lock = readFileSync(join(REPOSITORY, 'native/Cargo.lock'), 'utf8');

/** A header of so many functions in the manner of libkrun.h, with macros, records, enums and callbacks among them. */
function header(functions: number): string {
  const texts = Array.from({ length: functions }, (_, n) => {
    const macro = n % 4 === 0 ? `/* A value. */\n#define VALUE_${n} (${n} << 2)\n` : '';
    const types = n % 20 === 0 ? typesOf(n) : '';
    return `${macro}${types}/**
 * Does thing number ${n}.
 *
 * Arguments:
 *  "ctx_id" - the configuration context ID.
 *  "path"   - a null-terminated string, or NULL.
 *
 * Returns:
 *  Zero on success or a negative error number on failure.
 */
int32_t call_${n}(uint32_t ctx_id, const char *path, uint64_t size);
`;
  });
  return `#include <stdint.h>\n${texts.join('')}`;
}

function typesOf(n: number): string {
  return `struct record_${n} { uint32_t first; struct record_${Math.max(0, n - 20)} *next; uint8_t bytes[5]; unsigned bit : 3; };
typedef int (*callback_${n})(struct record_${n} *self);
enum choice_${n} { CHOICE_${n}_A, CHOICE_${n}_B = ${n} };
`;
}

type Times = Record<string, number>;

/** Milliseconds that each stage takes for a header of so many functions. */
async function measure(functions: number): Promise<Times> {
  const times: Times = {};
  const workerPath = await bundleWorker();
  const request = {
    headers: [{ name: 'large.h', content: header(functions) }],
    target: TARGETS['linux-x64'],
    workerPath,
  };
  const native = { parser: { kind: 'native', library: NATIVE } as const, inProcess: true };
  const embedded = await timed(times, 'embedded parser', () => parseHeaders(request));
  const unit: RawUnit = await timed(times, 'native parser', () => parseHeaders({ ...request, ...native }));
  expect(unit).toEqual(embedded);
  const ir = await timed(times, 'IR', () => toIr(unit, [], () => undefined));
  expect(ir.items.filter(({ kind }) => kind === 'function')).toHaveLength(functions);
  await timed(times, 'sys.rs', () => emitSys(ir, { docs: true }));
  await timed(times, 'napi crate', () => emitNapi(ir, { docs: true, lock, runtimePath: '../../native/node' }));
  await timed(times, 'lock', () => emitAbi([ir]));
  await timed(times, 'declarations', () => emitDts(ir, { docs: true }));
  return times;
}

async function timed<T>(times: Times, stage: string, work: () => T | Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  times[stage] = performance.now() - began;
  return result;
}

it('takes time linear in the number of functions, in every stage', async () => {
  // What is compiled and loaded only once is not to be charged to the first measurement.
  await measure(100);
  const [small, large] = [await measure(SMALL), await measure(LARGE)];
  const ratios = Object.keys(large).map((stage) => ({ stage, ratio: (large[stage] ?? 0) / (small[stage] ?? 0) }));
  const told = ratios.map(
    ({ stage, ratio }) => `${stage} ${Math.round(large[stage] ?? 0)} ms, ${ratio.toFixed(1)} times`,
  );
  console.log(`${LARGE} functions against ${SMALL}: ${told.join(' · ')}`);
  expect(ratios.filter(({ ratio }) => !(ratio < LIMIT))).toEqual([]);
});
