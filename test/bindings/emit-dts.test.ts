import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { emitDts } from '../../pipeline/bindings/emit-dts.ts';
import type { HeaderIr } from '../../pipeline/bindings/ir.ts';
import { compareDeclarations } from './compare-declarations.ts';

const fixture = (name: string): URL => new URL(`../fixtures/napi/${name}`, import.meta.url);
const ir: HeaderIr = JSON.parse(readFileSync(fixture('sample.ir.json'), 'utf8'));
// What the napi tool derives from the Rust source emitted for the same header; test/addon/derived.test.ts renews it.
const derived = readFileSync(fixture('derived.d.ts'), 'utf8');

describe('the emitted declarations', () => {
  it('hold signatures but none of the prose of the header when docs are off', async () => {
    const file = await emitDts(ir, { docs: false });
    expect(file.path).toBe('libkrun.d.ts');
    expect(file.content).not.toContain('Makes a context');
    await expect(file.content).toMatchFileSnapshot(fixture('expected/plain/libkrun.d.ts').pathname);
  });

  it('hold the prose of the header, unable to end its comment or to pass for a tag, when docs are on', async () => {
    const { content } = await emitDts(ir, { docs: true });
    await expect(content).toMatchFileSnapshot(fixture('expected/docs/libkrun.d.ts').pathname);
  });

  it('stay whole whatever the comments of the header hold', async () => {
    const pieces = [
      '*/',
      '/*',
      '//',
      '/',
      '*',
      '@param',
      '`',
      '${',
      '"',
      "'",
      '{@link',
      '<!--',
      '\\',
      '}',
      '\0',
      '\u2028',
    ];
    const hostile = [...pieces, pieces.join(''), pieces.join('\n'), pieces.toReversed().join('\r'), '*\n/'];
    // Two rounds, so that each text reaches functions and constants.
    for (const shift of [0, 13]) {
      const items = ir.items.map((item, index) => {
        const text = hostile[(index + shift) % hostile.length] ?? '';
        const docs = { summary: text, details: text, parameters: { ctx_id: text }, returns: text, deprecated: text };
        return { ...item, docs };
      });
      const { content } = await emitDts({ ...ir, items }, { docs: true });
      expect(compareDeclarations(content, derived)).toEqual({ differ: [], errors: [] });
    }
  });

  it('mean the same as those that the napi tool derives from the emitted Rust', async () => {
    const { content } = await emitDts(ir, { docs: true });
    expect(compareDeclarations(content, derived)).toEqual({ differ: [], errors: [] });
  });
});

describe('the comparison of declarations', () => {
  const changes: readonly (readonly [name: string, from: string, to: string])[] = [
    ['krunFreeCtx', 'krunFreeCtx(ctxId: number)', 'krunFreeCtx(ctxId: string)'],
    ['krunCreateCtx', 'krunCreateCtx(): number', 'krunCreateCtx(): number | null'],
    ['krunSend', 'krunSend(data?: Uint8Array | undefined | null)', 'krunSend(data: Uint8Array | undefined | null)'],
    ['krunAddWindow', 'offset: number | bigint', 'offset: number'],
    ['krunStartEnter', 'krunStartEnter(ctxId: number): never', 'krunStartEnter(ctxId: number): void'],
    ['KRUN_EVERY', 'KRUN_EVERY: bigint', 'KRUN_EVERY: number'],
    ['krunStat', 'shmSize: bigint', 'shmSize: number'],
    ['krunSetQueues', 'sizes?: Uint16Array', 'sizes?: Uint8Array'],
    ['krunCheck', 'export declare function krunCheck(): boolean', ''],
  ];

  it('names every function and constant whose type differs', async () => {
    const { content } = await emitDts(ir, { docs: false });
    for (const [, from] of changes) expect(derived).toContain(from);
    const changed = changes.reduce((text, [, from, to]) => text.replace(from, to), derived);
    const { differ } = compareDeclarations(content, changed);
    expect([...differ].sort()).toEqual(changes.map(([name]) => name).sort());
  });
});
