import { describe, expect, it } from 'vitest';
import { matchDocs, parseDocs } from '../../pipeline/bindings/docs.ts';

const BLOCK = `/**
 * Does a thing
 * on two lines.
 *
 * Details, "quoted".
 *
 * Arguments:
 *  "first"  - one, or
 *             more.
 *  "second" two
 *
 * Returns:
 *  Zero on success or a negative error number on failure.
 *  Documented errors:
 *    -ENOENT when not there
 *
 * Notes:
 *   Indented.
 */`;

describe('a doc comment', () => {
  it('is taken apart into summary, details, arguments and returns', () => {
    expect(parseDocs(BLOCK)).toEqual({
      summary: 'Does a thing on two lines.',
      details: 'Details, "quoted".\n\nNotes:\n\nIndented.',
      arguments: [
        { name: 'first', text: 'one, or\nmore.' },
        { name: 'second', text: 'two' },
      ],
      returns: 'Zero on success or a negative error number on failure.\nDocumented errors:\n  -ENOENT when not there',
      deprecated: null,
    });
  });

  it.each([
    ['a plain comment', BLOCK.replace('/**', '/*')],
    ['Windows line ends', BLOCK.replaceAll('\n', '\r\n')],
    [
      'line comments',
      BLOCK.split('\n')
        .slice(1, -1)
        .map((line) => `///${line.slice(2)}`)
        .join('\n'),
    ],
    ['a heading without colon', BLOCK.replace('Returns:', 'Returns')],
  ])('reads the same in the form of %s', (_form, comment) => {
    expect(parseDocs(comment)).toEqual(parseDocs(BLOCK));
  });

  it.each([
    ['/** DEPRECATED. Use b instead.\n *\n * Does a. */', 'Use b instead.', 'Does a.'],
    ['/**\n * NO LONGER SUPPORTED. DO NOT USE.\n *\n * Does a.\n */', 'NO LONGER SUPPORTED. DO NOT USE.', 'Does a.'],
    ['/** DEPRECATED */', 'No replacement is named.', ''],
    ['/** Not DEPRECATED. */', null, 'Not DEPRECATED.'],
  ])('knows what is deprecated: %j', (comment, deprecated, summary) => {
    expect(parseDocs(comment)).toMatchObject({ deprecated, summary });
  });

  it.each(['/**/', '/***/', '/* */', '//', '/**\n*\n*/'])('may be empty: %j', (comment) => {
    expect(parseDocs(comment)).toMatchObject({ summary: '', details: '', arguments: [], returns: '' });
  });
});

describe('argument names of a comment', () => {
  const parsed = parseDocs(BLOCK);

  it('are matched by name, whatever their order', () => {
    expect(matchDocs(parsed, ['second', 'other', 'first']).parameters).toEqual({
      second: 'two',
      first: 'one, or\nmore.',
    });
  });

  it('are matched by position when exactly one is left over on both sides', () => {
    expect(matchDocs(parsed, ['first', 'c_second']).parameters).toEqual({ first: 'one, or\nmore.', c_second: 'two' });
  });

  it('are not matched where that would be a guess', () => {
    expect(matchDocs(parsed, ['other', 'first']).parameters).toEqual({ first: 'one, or\nmore.' });
    expect(matchDocs(parsed, ['a', 'b']).parameters).toEqual({});
    expect(matchDocs(parsed, ['first', 'b', 'c']).parameters).toEqual({ first: 'one, or\nmore.' });
  });
});
