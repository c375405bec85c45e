import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseFirmwarePins, parseLibkrunPins } from '../../pipeline/plan/pins.ts';
import { REPOSITORY } from '../helpers/session.ts';

const read = (name: string): string => readFileSync(join(REPOSITORY, 'vendor', name), 'utf8');

it('accepts the pins that come with the tool', () => {
  const firmware = parseFirmwarePins(read('libkrunfw.json'), 'libkrunfw.json');
  expect(Object.keys(firmware.providers.npm.targets)).toEqual(['linux-x64', 'linux-arm64', 'darwin-arm64']);
  expect(parseLibkrunPins(read('libkrun.json'), 'libkrun.json').crate.version).toBe('3.3.0');
});

describe('a pin is refused', () => {
  type Change = readonly [what: string, find: string, replace: string];
  const FIRMWARE: readonly Change[] = [
    ['without any digest', '"integrity": "sha512-', '"comment": "sha512-'],
    ['with a digest of another kind', '"sha256": "3ffb', '"sha256": "XXXX'],
    ['with a range for a version', '"version": "0.6.8"', '"version": "^0.6.8"'],
    ['with a member outside the archive', '"package/lib/libkrunfw.so.5.6.1"', '"../libkrunfw.so.5.6.1"'],
    ['with an absolute member', '"package/lib/libkrunfw.so.5.6.1"', '"/lib/libkrunfw.so.5.6.1"'],
    [
      'without encryption',
      '"https://github.com/boxlite-ai/libkrunfw/releases',
      '"http://github.com/boxlite-ai/libkrunfw/releases',
    ],
    ['with a size that is no number of bytes', '"size": 33558875', '"size": -1'],
    ['with a field nobody knows', '"schema": 1', '"schema": 1, "extra": true'],
    ['of another schema', '"schema": 1', '"schema": 2'],
    ['for a target nobody knows', '"darwin-arm64"', '"darwin-x64"'],
  ];
  it.each(FIRMWARE)('%s', (_what, find, replace) => {
    const text = read('libkrunfw.json');
    expect(text).toContain(find);
    const broken = text.replace(find, replace);
    const line = text.slice(0, text.indexOf(find)).split('\n').length;
    let place: { file: string; line?: number } | undefined;
    try {
      parseFirmwarePins(broken, 'libkrunfw.json');
    } catch (error) {
      place = (error as { failure: { code: string; where: typeof place } }).failure.where;
      expect(error).toMatchObject({ code: 'A3S1102' });
    }
    expect(place?.file).toBe('libkrunfw.json');
    // The place is the field, or the object that lacks it.
    expect(place?.line).toBeGreaterThan(0);
    expect(place?.line).toBeLessThanOrEqual(line);
  });

  it('when it is not JSON, with the place', () => {
    expect(() => parseLibkrunPins('{\n  "schema": 1,,\n}', 'pin')).toThrow(
      expect.objectContaining({
        code: 'A3S1102',
        failure: expect.objectContaining({ where: { file: 'pin', line: 2, column: 15 } }),
      }),
    );
  });

  it('when a key stands twice', () => {
    const text = read('libkrun.json').replace('"schema": 1,', '"schema": 1,\n  "schema": 1,');
    expect(() => parseLibkrunPins(text, 'pin')).toThrow(expect.objectContaining({ code: 'A3S1102' }));
  });
});
