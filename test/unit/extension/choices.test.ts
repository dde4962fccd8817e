// The steps of "Train RNN": what is offered, and that what comes of them can be trained.
import assert from 'node:assert/strict';
import { expandComparison } from '../../../src/experiment/compare.ts';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import {
  CELL_OFFERS,
  type Choices,
  type DataChoice,
  dataOffers,
  experimentOf,
  numericColumns,
  sizeOffers,
} from '../../../src/extension/train/choices.ts';

const choices: DataChoice[] = [
  { kind: 'text', path: 'data/emma.txt' },
  { kind: 'table', path: 'co2.csv' },
  { kind: 'generated', task: 'adding' },
  { kind: 'generated', task: 'temporal-order' },
];

describe('the steps of Train RNN', () => {
  it('give a valid experiment for every way through them', () => {
    for (const data of choices)
      for (const { value: cell } of CELL_OFFERS) {
        const chosen: Choices = { data, target: 'CO2', cell, units: 16 };
        const { experiment, problems } = parseExperiment(JSON.stringify(experimentOf(chosen)));
        assert.deepEqual(problems, [], JSON.stringify(chosen));
        assert.equal(expandComparison(experiment!).length, cell === 'compare' ? 3 : 1);
      }
  });

  it('offer files that hold something, then the generated tasks', () => {
    const labels = dataOffers([
      { path: 'data/emma.txt', bytes: 900_000 },
      { path: 'co2.csv', bytes: 20_000 },
      { path: 'todo.txt', bytes: 20 },
      { path: '.cache/big.txt', bytes: 1e9 },
    ]).map(({ label }) => label.replace(/^\$\([a-z-]+\) /, ''));
    assert.deepEqual(labels, ['emma.txt', 'co2.csv', 'The adding problem', 'Temporal order']);
  });

  it('offer a size that was typed first, if it is one', () => {
    const sizes = (typed: string) => sizeOffers('gru', () => null, typed).map(({ value }) => value);
    assert.deepEqual(sizes(''), [32, 64, 128, 256]);
    assert.deepEqual(sizes('100'), [100, 32, 64, 128, 256]);
    assert.deepEqual(sizes('64'), [64, 32, 128, 256]);
    for (const typed of ['0', '-3', '1e9', 'abc', '99999999']) assert.deepEqual(sizes(typed), sizes(''));
  });

  it('find the columns that hold numbers', () => {
    assert.deepEqual(
      numericColumns('\uFEFFDate,CO2,"adjusted, CO2"\n1958-03-01,315.7,314.4\n1958-04-01,,317.1\n'),
      ['CO2', 'adjusted, CO2'],
    );
    assert.deepEqual(numericColumns('a;b\r\n1;x\r\n2;y\r\n'), ['a']);
    assert.deepEqual(numericColumns('a\tb\n1\t2\n'), ['a', 'b']);
    assert.deepEqual(numericColumns('only,words\nin,here\n'), []);
    assert.deepEqual(numericColumns(''), []);
  });
});
