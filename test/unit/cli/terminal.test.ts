// Texts, tables and commands of the command line: no line wider than the terminal, and whole lines elsewhere.
import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { contentionOf } from '../../../src/runs/contention.ts';
import { hintLines, outcomeLine } from '../../../src/trainer/cli/report.ts';
import { lineFor } from '../../../src/trainer/cli/report-bars.ts';
import {
  bold,
  displayWidth,
  screenOf,
  shellCommand,
  sideBySide,
  table,
  wrap,
} from '../../../src/trainer/cli/terminal.ts';
import type { RunOutcome } from '../../../src/trainer/training/work.ts';
import { requestOf } from '../runs/folder.ts';

describe('a table in the terminal', () => {
  const screen = { columns: 80, textColumns: 80, colours: 'true' } as const;

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

describe('a screen', () => {
  const { COLUMNS } = process.env;
  afterEach(() => {
    if (COLUMNS === undefined) delete process.env['COLUMNS'];
    else process.env['COLUMNS'] = COLUMNS;
  });
  const stream = (members: object) => members as NodeJS.WriteStream;

  it('has room for texts as a terminal has columns, and elsewhere without end', () => {
    process.env['COLUMNS'] = '70';
    for (const columns of [60, 80, 120])
      assert.equal(screenOf(stream({ isTTY: true, columns })).textColumns, columns);
    const { columns, textColumns } = screenOf(stream({ isTTY: false }));
    assert.deepEqual([columns, textColumns], [70, Infinity]);
  });
});

describe('a text in the terminal', () => {
  const text = 'The loss stands at 0.1667, which is that of /a/path/that/has/no/space/in/it/at/all alone.';

  it('is broken at spaces, with what follows indented and its words all there', () => {
    for (const columns of [60, 80, 120]) {
      const lines = wrap(text, columns, 2).split('\n');
      for (const line of lines) assert.ok(line.length <= columns, line);
      for (const line of lines.slice(1)) assert.match(line, /^ {2}\S/);
      assert.equal(lines.map(line => line.trim()).join(' '), text);
    }
  });

  it('keeps a word that is wider, spaces and line breaks of its own, and what fits as it is', () => {
    assert.equal(wrap('see /a/long/path now', 8), 'see\n/a/long/path\nnow');
    assert.equal(wrap('  a   b\n\n  c', 80), '  a   b\n\n  c');
    assert.equal(wrap(text, Infinity), text);
  });

  it('counts what is seen: not the colours, and wide letters as two', () => {
    const screen = { columns: 80, textColumns: 80, colours: 'true' } as const;
    assert.equal(wrap(bold(screen, 'four four'), 9), bold(screen, 'four four'));
    assert.equal(wrap('漢字 漢字', 8), '漢字\n漢字');
  });

  it('parts stay whole side by side', () => {
    assert.equal(
      sideBySide(['Loss mse', '━ training 1', '• validation 2'], '   ', 24, 2),
      'Loss mse   ━ training 1\n  • validation 2',
    );
  });
});

describe('what is said about runs', () => {
  const outcome = (folder: string, steps = 1): RunOutcome => ({
    folder,
    reason: 'stopped',
    message: '',
    steps,
    trainLoss: 0.5,
    valLoss: null,
    metrics: null,
    seconds: 2,
    engine: 'reference',
    contention: null,
    wrongInput: false,
  });

  it('says after the losses that other programs held the processors', () => {
    const contention = contentionOf(0.432, 2)!;
    assert.equal(
      outcomeLine('LSTM', { ...outcome('.'), contention }),
      'LSTM stopped after 1 step in 0:02: loss 0.5. For 43 % of its time one thread did the work of 2, since other programs held the processors.',
    );
    assert.deepEqual([contentionOf(0.01, 2), contentionOf(undefined, 2)], [null, null]);
  });

  it('counts one step as one', () => {
    assert.equal(outcomeLine('LSTM', outcome('.')), 'LSTM stopped after 1 step in 0:02: loss 0.5.');
    assert.match(outcomeLine('LSTM', outcome('.', 1200)), /after 1,200 steps /);
  });

  it('is a command to copy, which a shell reads whole however it is broken', function () {
    if (process.platform === 'win32') this.skip();
    const folders = ['src', 'src/trainer', 'src/trainer/cli', 'src/trainer/engine'];
    const outcomes = folders.map(folder => outcome(folder));
    const whole = hintLines(outcomes, Infinity);
    assert.equal(whole.length, 3);
    assert.equal(whole[1], `Compare: unroll compare ${folders.join(' ')}`);
    for (const columns of [40, 60, 80]) {
      const lines = hintLines(outcomes, columns);
      for (const line of lines.join('\n').split('\n')) assert.ok(line.length <= columns, line);
      assert.deepEqual(
        lines.map(line => line.replaceAll('\\\n', ' ').replace(/\s+/g, ' ')),
        whole,
      );
    }
    assert.equal(shellCommand(['unroll show', 'a'], 80, 2), '  unroll show a');
  });

  it('a line of progress has a bar where there is room for one', () => {
    const request = { ...requestOf('/tmp'), format: 1, id: 'x', createdAt: '' } as never;
    const runs = [{ folder: '/tmp', request }];
    const widest = (columns: number) => {
      const { format, barsize } = lineFor(runs, columns);
      const filled = format
        .replace('{label}', 'adding')
        .replace('{bar}', '█'.repeat(barsize))
        .replace('{percentage}', '100')
        .replace('{value}/{total}', '100/100')
        .replace('{loss}', '12.3456')
        .replace('{validation}', '12.3456')
        .replace('{left}', '12:34 left');
      return displayWidth(filled);
    };
    for (const columns of [60, 80, 120]) assert.ok(widest(columns) <= columns);
    assert.doesNotMatch(lineFor(runs, 60).format, /bar/);
    assert.equal(lineFor(runs, 120).barsize, 24);
  });
});
