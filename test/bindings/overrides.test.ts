import { describe, expect, it } from 'vitest';
import { LIBKRUN_OVERRIDES } from '../../pipeline/bindings/overrides.ts';

describe('the override table', () => {
  it('names each function once and gives a reason for each entry', () => {
    const names = LIBKRUN_OVERRIDES.map(({ function: name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(LIBKRUN_OVERRIDES.filter(({ reason }) => reason.trim().length < 20)).toEqual([]);
  });

  it('says something in each entry', () => {
    const empty = LIBKRUN_OVERRIDES.filter(
      ({ returns, parameters }) => returns === undefined && parameters === undefined,
    );
    expect(empty).toEqual([]);
  });

  it('does not let null reach the port map, which libkrun reads without a check', () => {
    const entry = LIBKRUN_OVERRIDES.find(({ function: name }) => name === 'krun_set_port_map');
    expect(entry?.parameters?.['port_map']?.nullable).toBe(false);
  });
});
