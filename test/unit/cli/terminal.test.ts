// Tables of the command line: decimal points below each other, and no line wider than the screen.
import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { bold, table } from '../../../src/trainer/cli/terminal.ts';

describe('a table in the terminal', () => {
  const screen = { columns: 80, colours: 'true' } as const;

  it('has its decimal points below each other, also in bold', () => {
    const rows = [
      ['run', 'loss'],
      ['a', '0.5'],
      ['b', bold(screen, '12.4321')],
      ['c', '–'],
      ['d', '1,204'],
    ];
    const lines = stripVTControlCharacters(table(rows, 'ld')).split('\n');
    assert.deepEqual(lines, [
      'run        loss',
      'a        0.5',
      'b       12.4321',
      'c             –',
      'd    1,204',
    ]);
  });

  it('goes on below what the screen has room for, with the first column again', () => {
    const rows = [
      ['run', 'one', 'two', 'three'],
      ['a', '111', '222', '333'],
      ['b', '4', '5', '6'],
    ];
    assert.equal(
      table(rows, 'lr', 13),
      'run  one  two\na    111  222\nb      4    5\n\nrun  three\na      333\nb        6',
    );
    assert.equal(table(rows, 'lr').split('\n').length, 3);
    for (const columns of [20, 12, 10])
      for (const line of table(rows, 'lr', columns).split('\n')) assert.ok(line.length <= columns);
  });
});
