import { expect, it } from 'vitest';
import { editJson } from '../../pipeline/plan/edit-json.ts';

const TEXT = '{\n  "a": {"b": [1,   2]},\n\n  "c": "kept"\n}\n';

it('changes nothing where the value is there', () => {
  expect(editJson(TEXT, [{ path: ['a', 'b'], value: [1, 2] }])).toBe(TEXT);
});

it('changes a value and leaves the layout around it', () => {
  expect(editJson(TEXT, [{ path: ['a', 'b', 1], value: 3 }])).toBe(TEXT.replace('2', '3'));
});

it('adds a field that was not there', () => {
  const edited = editJson(TEXT, [{ path: ['a', 'd'], value: { e: true } }]);
  expect(JSON.parse(edited)).toEqual({ a: { b: [1, 2], d: { e: true } }, c: 'kept' });
  expect(edited).toContain('\n\n  "c": "kept"\n');
});
