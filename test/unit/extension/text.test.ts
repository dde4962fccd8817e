// How runs read: numbers, ages, and text that came from a run folder nobody vouches for.
import assert from 'node:assert/strict';
import { ago, clock, loss, percentage, plain } from '../../../src/extension/text.ts';

describe('texts of the extension', () => {
  it('make untrusted text plain', () => {
    const table: [string, string][] = [
      ['emma', 'emma'],
      ['two\nlines\tand a tab', 'two lines and a tab'],
      ['\u202eevil\u202c', 'evil'],
      ['$(sync~spin) spins', '$ (sync~spin) spins'],
      ['a\u0000b\u001b[31mred', 'a b [31mred'],
      ['  spaces   between  ', 'spaces between'],
    ];
    for (const [text, expected] of table) assert.equal(plain(text), expected);
    assert.equal(plain('x'.repeat(100), 10), `${'x'.repeat(9)}…`);
    assert.equal(plain('😀'.repeat(3), 2), '😀…');
  });

  it('give a loss in about three digits, and NaN as what it is', () => {
    const table: [Parameters<typeof loss>[0], string][] = [
      [1.3849, '1.38'],
      [0.1667, '0.17'],
      [0.01234, '0.0123'],
      [0.00012, '1.2e-4'],
      [123.4, '123'],
      [12345, '1.2e+4'],
      [0, '0.00'],
      ['NaN', 'NaN'],
      ['Infinity', 'Infinity'],
      [undefined, '–'],
      [null, '–'],
    ];
    for (const [value, expected] of table) assert.equal(loss(value), value === 0 ? '0.00' : expected);
  });

  it('tell times', () => {
    assert.equal(clock(65), '1:05');
    assert.equal(clock(3725), '1:02:05');
    assert.equal(clock(-3), '0:00');
    assert.equal(ago(20_000), 'just now');
    assert.equal(ago(3 * 60_000), '3 min ago');
    assert.equal(ago(5 * 3_600_000), '5 h ago');
    assert.equal(ago(30 * 3_600_000), 'yesterday');
    assert.equal(ago(72 * 3_600_000), '3 days ago');
  });

  it('sign percentages', () => {
    assert.equal(percentage(62_208, 82_944), '−25 %');
    assert.equal(percentage(82_944, 62_208), '+33 %');
    assert.equal(percentage(5, 5), '±0 %');
  });
});
