import { describe, expect, it } from 'vitest';
import { htmlText, linkedKeys } from '../../pipeline/steps/linked-crates.ts';

describe('linkedKeys', () => {
  it('reads each crate once, wherever it lies', () => {
    const tree = [
      'libkrun v1.17.0 (/source/src/libkrun)',
      'libc v0.2.180',
      'bzip2-sys v0.1.13+1.0.8',
      'libc v0.2.180 (*)',
      '',
    ].join('\n');
    expect(linkedKeys(tree)).toEqual(['bzip2-sys@0.1.13+1.0.8', 'libc@0.2.180', 'libkrun@1.17.0']);
  });
});

describe('htmlText', () => {
  it('leaves the words, with the characters that they stand for', () => {
    const html =
      '<html><head><style>p {}</style></head><body class="x"><h1>A &amp; B</h1>\n<p>&#60;a@b.c&#62;  </p>\n\n\n<pre>MIT</pre></body></html>';
    expect(htmlText(html)).toBe('A & B\n<a@b.c>\n\nMIT');
  });

  it('keeps what is no known entity', () => {
    expect(htmlText('<body>AT&T &unknown;</body>')).toBe('AT&T &unknown;');
  });
});
