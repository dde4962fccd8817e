// Generated tasks: every label against a brute-force reading of its input, balance, seeds, lengths and baselines.
import assert from 'node:assert/strict';
import { tensor3d } from '@tensorflow/tfjs-core';
import { parseExperiment } from '../../../../src/experiment/parse.ts';
import {
  type Experiment,
  type ExperimentInput,
  experimentSchema,
} from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { evaluate } from '../../../../src/trainer/layers/evaluate.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { balancedShape } from '../../../../src/trainer/tasks/dyck.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { distinct } from '../../../../src/trainer/tasks/symbols.ts';
import { type Batch, emptyScore, type Task } from '../../../../src/trainer/tasks/task.ts';
import { Trainer } from '../../../../src/trainer/training/trainer.ts';
import { figuresOf, whole } from '../../../../src/trainer/training/validation.ts';
import { readRun, trainNew, useWorkspace } from '../training/runs.ts';

const ROWS = 200;

function experimentOf(data: ExperimentInput['data'], training: ExperimentInput['training'] = {}): Experiment {
  return experimentSchema.parse({
    data,
    model: { layers: [{ type: 'gru', units: 3 }, { type: 'dense' }] },
    training: { batchSize: ROWS, ...training },
  });
}

async function open(data: ExperimentInput['data'], training: ExperimentInput['training'] = {}) {
  return openTask(experimentOf(data, training), { base: '', workspace: '', allowedPaths: [] });
}

interface Sequence {
  input: number[];
  /** null: not asked */
  targets: (number | null)[];
}

function sequencesOf(batch: Batch): Sequence[] {
  const { input, targets, asked, seqLen, lengths, batch: rows } = batch;
  const atEnd = targets.length === rows;
  return Array.from({ length: rows }, (_, row) => {
    const steps = Array.from({ length: lengths?.[row] ?? seqLen }, (_, t) => t);
    return {
      input: steps.map(t => input[t * rows + row]!),
      targets: steps.map(t => {
        if (atEnd) return t === steps.length - 1 ? targets[row]! : null;
        return !asked || asked[t * rows + row] ? targets[t * rows + row]! : null;
      }),
    };
  });
}

const trainingOf = (task: Task) => sequencesOf(task.trainingBatch(1));
const testOf = (task: Task) => [...task.test()].flatMap(sequencesOf);

/** The figures of these logits at every output row. */
function figures(task: Task, logits: (batch: Batch, place: number, id: number) => number) {
  const score = emptyScore();
  for (const batch of task.validation()) {
    const classes = task.sizes.outputs;
    const steps = task.outputs === 'last-step' ? 1 : batch.seqLen;
    const values = Float32Array.from({ length: steps * batch.batch * classes }, (_, at) =>
      logits(batch, Math.floor(at / classes), at % classes),
    );
    const outputs = tensor3d(values, [steps, batch.batch, classes]);
    task.score(outputs, batch, score);
    outputs.dispose();
  }
  return figuresOf(task, score);
}

const truth = (batch: Batch, place: number, id: number) => (batch.targets[place] === id ? 40 : 0);

function sharesOf(values: readonly number[], classes: number): number[] {
  return Array.from(
    { length: classes },
    (_, id) => values.filter(value => value === id).length / values.length,
  );
}

const wanted = (sequences: readonly Sequence[]) =>
  sequences.flatMap(({ targets }) => targets.filter(target => target !== null));

const TASKS: ExperimentInput['data'][] = [
  { task: 'selective-copy', length: 12, testLength: 20, items: 3 },
  { task: 'associative-recall', length: 10, testLength: 16, queries: 3 },
  { task: 'induction', length: 9, testLength: 30 },
  { task: 'parity', length: 8, testLength: 32 },
  { task: 'modular-arithmetic', length: 9, testLength: 20, operators: '+-*' },
  { task: 'temporal-order', length: 20, testLength: 40 },
  { task: 'temporal-order', length: 20, marks: 3 },
  { task: 'reber', length: 20, testLength: 30 },
  { task: 'anbn', length: 5, testLength: 12 },
  { task: 'anbncn', length: 5, testLength: 12 },
  { task: 'dyck', length: 10, testLength: 20, brackets: 2 },
];

describe('generated tasks', () => {
  useWorkspace();
  before(() => startEngine('reference', null));

  for (const data of TASKS)
    it(`${JSON.stringify(data)}: batches are functions of seed and step, the baseline is that of equal logits`, async () => {
      const [task, again, other] = [await open(data), await open(data), await open(data, { seed: 2 })];
      assert.deepEqual(task.trainingBatch(3), again.trainingBatch(3));
      assert.deepEqual([...task.test()], [...again.test()]);
      const seen = [
        task.trainingBatch(1),
        task.trainingBatch(2),
        other.trainingBatch(1),
        ...task.validation(),
      ];
      assert.equal(new Set(seen.map(({ input }) => input.join())).size, seen.length);
      const { input, outputs } = task.sizes;
      assert.equal(input.kind, 'tokens');
      for (const batch of [...seen, ...task.test()])
        for (const sequence of sequencesOf(batch)) {
          assert.notEqual(sequence.targets.at(-1), null, 'the last step asks');
          for (const id of sequence.input)
            assert.ok(id >= 0 && input.kind === 'tokens' && id < input.vocabulary);
          for (const id of sequence.targets) assert.ok(id === null || (id >= 0 && id < outputs));
        }
      const equal = figures(task, () => 0.5);
      assert.ok(Math.abs(equal['valLoss']! - task.facts.baseline!.loss) < 1e-6, `${equal['valLoss']}`);
      assert.ok(Math.abs(task.facts.baseline!.loss - Math.log(outputs)) < 1e-12);
      const { length, testLength = length } = data as { length: number; testLength?: number };
      const steps = (sequences: Sequence[]) => Math.max(...sequences.map(each => each.input.length));
      assert.ok(steps(trainingOf(task)) <= task.facts.seqLen);
      if (testLength > length) {
        assert.ok(Math.min(...testOf(task).map(each => each.input.length)) > 0);
        assert.ok(steps(testOf(task)) > task.facts.seqLen, 'the test is longer');
        assert.ok(task.sizes.steps! >= steps(testOf(task)));
        assert.match(task.facts.notes.join(' '), /Test: sequences of /);
      }
    });

  it('copy selectively: what is asked is what is no blank, in order, at places that differ', async () => {
    const task = await open({ task: 'selective-copy', length: 12, items: 3 });
    const places = new Map<string, number>();
    for (const { input, targets } of trainingOf(task)) {
      assert.equal(input.length, 15);
      const items = input.slice(0, 12).filter(id => id !== 8);
      assert.deepEqual(targets, [...Array(12).fill(null), ...items]);
      assert.deepEqual(input.slice(12), [9, 9, 9]);
      const key = input.flatMap((id, t) => (id < 8 ? [t] : [])).join();
      places.set(key, (places.get(key) ?? 0) + 1);
    }
    assert.ok(places.size > 100, `${places.size} of 220 choices of places in ${ROWS} sequences`);
    for (const share of sharesOf(wanted(trainingOf(task)), 8)) assert.ok(Math.abs(share - 1 / 8) < 0.05);
    assert.equal(figures(task, truth)['accuracy'], 1);
    assert.equal(figures(task, truth)['sequenceAccuracy'], 1);
    const half = figures(task, (batch, place, id) =>
      Math.floor(place / batch.batch) === 12 ? truth(batch, place, id) : id === 8 ? 1 : 0,
    );
    assert.ok(half['accuracy']! >= 1 / 3 && half['accuracy']! < 0.5, 'one of three items is known');
    assert.ok(half['sequenceAccuracy']! < 0.1);
  });

  it('recall: the value asked for stands behind the key in the pairs', async () => {
    const task = await open({ task: 'associative-recall', length: 10, queries: 3 });
    for (const { input, targets } of trainingOf(task)) {
      const pairs = new Map(Array.from({ length: 5 }, (_, pair) => [input[2 * pair]!, input[2 * pair + 1]!]));
      assert.equal(pairs.size, 5, 'keys differ');
      for (const [key, value] of pairs) assert.ok(key < 16 && value >= 16 && value < 32);
      const asked = input.slice(10);
      assert.equal(new Set(asked).size, 3);
      assert.deepEqual(targets, [...Array(10).fill(null), ...asked.map(key => pairs.get(key)! - 16)]);
    }
    for (const share of sharesOf(wanted(trainingOf(task)), 16)) assert.ok(Math.abs(share - 1 / 16) < 0.04);
  });

  it('induction: the answer follows the special symbol, which stands once before the end', async () => {
    const task = await open({ task: 'induction', length: 9 });
    const places = new Set<number>();
    for (const { input, targets } of trainingOf(task)) {
      const at = input.indexOf(16);
      assert.deepEqual(
        input.flatMap((id, t) => (id === 16 ? [t] : [])),
        [at, 8],
      );
      assert.equal(targets.at(-1), input[at + 1]);
      places.add(at);
    }
    assert.deepEqual([...places].sort(), [0, 1, 2, 3, 4, 5, 6]);
  });

  it('parity: odd counts of ones', async () => {
    const task = await open({ task: 'parity', length: 8 });
    for (const { input, targets } of trainingOf(task))
      for (let t = 0; t < 8; t++)
        assert.equal(targets[t], input.slice(0, t + 1).filter(bit => bit === 1).length % 2);
    for (const share of sharesOf(wanted(trainingOf(task)), 2)) assert.ok(Math.abs(share - 1 / 2) < 0.05);
  });

  it('modular arithmetic: each result is that of the expression so far, worked off from the left', async () => {
    for (const [length, operators] of [
      [9, '+-*'],
      [8, '+-'],
      [1, '+'],
    ] as const) {
      const task = await open({ task: 'modular-arithmetic', length, operators });
      for (const { input, targets } of trainingOf(task)) {
        assert.equal(input.length, length);
        const names = input.map(id => (id < 5 ? String(id) : '+-*='[id - 5]!));
        for (let t = 0; t < length; t++) {
          const isAsked = t % 2 === 0 || t === length - 1;
          assert.equal(targets[t] !== null, isAsked);
          if (!isAsked) continue;
          const [first, ...rest] = names.slice(0, t + 1).filter(name => name !== '=');
          let value = Number(first);
          for (let at = 0; at + 1 < rest.length; at += 2) {
            const number = Number(rest[at + 1]);
            if (rest[at] === '+') value += number;
            else if (rest[at] === '-') value -= number;
            else value *= number;
          }
          assert.equal(targets[t], ((value % 5) + 5) % 5, names.join(' '));
        }
      }
    }
  });

  it('temporal order: the class tells the marks in their stretches, of two and of three', async () => {
    for (const [marks, stretches] of [
      [2, [1, 5]],
      [3, [1, 3, 6]],
    ] as const) {
      const task = await open({ task: 'temporal-order', length: 50, marks });
      const seen: number[] = [];
      for (const { input, targets } of trainingOf(task)) {
        const places = input.flatMap((id, t) => (id < 2 ? [t] : []));
        assert.equal(places.length, marks);
        assert.deepEqual(
          places.map(t => Math.floor(t / 5)),
          stretches,
        );
        assert.equal(targets.at(-1), Number.parseInt(places.map(t => input[t]).join(''), 2));
        seen.push(targets.at(-1)!);
      }
      for (const share of sharesOf(seen, 2 ** marks)) assert.ok(Math.abs(share - 0.5 ** marks) < 0.1);
      assert.equal(figures(task, truth)['accuracy'], 1);
    }
  });

  it('embedded Reber: strings and legal successors are those of the grammar, as likely as its walk makes them', async () => {
    const most = 14;
    const task = await open(
      { task: 'reber', length: most },
      { batchSize: 3000, validation: { maxBatches: 1 } },
    );
    const language = reberStrings(most);
    const names = 'BTPSXVE';
    const counts = new Map<string, number>();
    for (const { input, targets } of trainingOf(task)) {
      const text = `${input.map(id => names[id]).join('')}${names[targets.at(-1)!]}`;
      assert.deepEqual(
        targets,
        [...text.slice(1)].map(symbol => names.indexOf(symbol)),
      );
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    const total = [...language.values()].reduce((sum, chance) => sum + chance, 0);
    for (const text of counts.keys()) assert.ok(language.has(text), text);
    for (const [text, chance] of language) {
      const expected = (3000 * chance) / total;
      const deviation = Math.abs((counts.get(text) ?? 0) - expected);
      assert.ok(deviation < 5 * Math.sqrt(expected) + 1, `${text}: ${counts.get(text)}, not ${expected}`);
    }
    // legal: what goes on to any string of the whole language, of which these are the short ones
    const prefixes = new Set<string>();
    for (const text of reberStrings(20).keys())
      for (let end = 1; end <= Math.min(text.length, most); end++) prefixes.add(text.slice(0, end));
    const legal = (batch: Batch, place: number, id: number) => {
      const [t, row] = [Math.floor(place / batch.batch), place % batch.batch];
      const prefix = Array.from({ length: t + 1 }, (_, at) => names[batch.input[at * batch.batch + row]!]);
      return prefixes.has(prefix.join('') + names[id]) ? 1 : 0;
    };
    const few = await open({ task: 'reber', length: most }, { batchSize: 40 });
    assert.equal(figures(few, legal)['sequenceAccuracy'], 1);
    // the same without what the second symbol tells: the last but one is not known
    const blind = figures(few, (batch, place, id) => {
      const t = Math.floor(place / batch.batch);
      const isBranch = batch.lengths![place % batch.batch] === t + 2;
      return isBranch ? Number(names[id] === 'T' || names[id] === 'P') : legal(batch, place, id);
    });
    assert.equal(blind['sequenceAccuracy'], 0);
  });

  it('count: every n is drawn, the test has larger ones only, and the end is certain', async () => {
    for (const [name, letters] of [
      ['anbn', 'ab'],
      ['anbncn', 'abc'],
    ] as const) {
      const task = await open({ task: name, length: 5, testLength: 9 });
      const nOf = ({ input, targets }: Sequence) => {
        const read = input.map(id => 'Sabc'[id]).join('');
        const n = read.split('a').length - 1;
        const whole = [...letters].map(letter => letter.repeat(n)).join('');
        assert.equal(read, `S${whole}`);
        assert.deepEqual(
          targets,
          [...whole, 'E'].map(symbol => (symbol === 'E' ? letters.length : letters.indexOf(symbol))),
        );
        return n;
      };
      assert.deepEqual([...new Set(trainingOf(task).map(nOf))].sort(), [1, 2, 3, 4, 5]);
      assert.deepEqual([...new Set(testOf(task).map(nOf))].sort(), [6, 7, 8, 9]);
      const words = Array.from(
        { length: 30 },
        (_, n) => `${[...letters].map(letter => letter.repeat(n + 1)).join('')}E`,
      );
      const legal = (batch: Batch, place: number, id: number) => {
        const [t, row] = [Math.floor(place / batch.batch), place % batch.batch];
        const prefix = Array.from(
          { length: t },
          (_, at) => 'Sabc'[batch.input[(at + 1) * batch.batch + row]!],
        );
        const next = [...letters, 'E'][id]!;
        return words.some(word => word.startsWith(prefix.join('') + next)) ? 1 : 0;
      };
      assert.equal(figures(task, legal)['sequenceAccuracy'], 1);
    }
  });

  it('brackets: balanced, every shape as likely, and what may follow is what the language allows', async () => {
    const task = await open({ task: 'dyck', length: 10, testLength: 16, brackets: 2 });
    const names = '()[]';
    const isBalanced = (text: string) => {
      let rest = text;
      for (let before = ''; before !== rest; ) {
        before = rest;
        rest = rest.replaceAll('()', '').replaceAll('[]', '');
      }
      return rest === '';
    };
    const read = ({ input }: Sequence) =>
      input
        .slice(1)
        .map(id => names[id]!)
        .join('');
    for (const sequence of [...trainingOf(task), ...testOf(task)]) {
      assert.equal(sequence.input[0], 4, 'the start');
      assert.ok(isBalanced(read(sequence)), read(sequence));
      assert.deepEqual(sequence.targets, [...sequence.input.slice(1), 4]);
    }
    assert.deepEqual(
      [...new Set(trainingOf(task).map(each => read(each).length))].sort((a, b) => a - b),
      [2, 4, 6, 8, 10],
    );
    assert.deepEqual([...new Set(testOf(task).map(each => read(each).length))].sort(), [12, 14, 16]);
    const random = randomStream(1, 'test', 0);
    const shapes = new Map<string, number>();
    for (let time = 0; time < 2800; time++) {
      const shape = balancedShape(random, 4)
        .map(opens => (opens ? '(' : ')'))
        .join('');
      shapes.set(shape, (shapes.get(shape) ?? 0) + 1);
    }
    assert.equal(shapes.size, 14, 'the fourth Catalan number');
    for (const times of shapes.values()) assert.ok(Math.abs(times - 200) < 5 * Math.sqrt(200), `${times}`);
    // a prefix goes on to a balanced text where what is open can be closed
    const legal = (batch: Batch, place: number, id: number) => {
      const [t, row] = [Math.floor(place / batch.batch), place % batch.batch];
      const prefix = Array.from({ length: t }, (_, at) => names[batch.input[(at + 1) * batch.batch + row]!]);
      if (id === 4) return isBalanced(prefix.join('')) ? 1 : 0;
      let rest = prefix.join('') + names[id];
      for (let before = ''; before !== rest; ) {
        before = rest;
        rest = rest.replaceAll('()', '').replaceAll('[]', '');
      }
      return /[)\]]/.test(rest) ? 0 : 1;
    };
    assert.equal(figures(task, legal)['sequenceAccuracy'], 1);
    assert.ok(figures(task, truth)['accuracy']! < 1, 'one of several legal ones is not all of them');
  });

  it('draw different numbers, each as likely at each place', () => {
    const random = randomStream(1, 'test', 1);
    const counts = Array.from({ length: 3 }, () => [0, 0, 0, 0, 0]);
    for (let time = 0; time < 2000; time++) {
      const drawn = distinct(random, 3, 5);
      assert.equal(new Set(drawn).size, 3);
      for (const [place, value] of drawn.entries()) counts[place]![value]!++;
    }
    for (const count of counts.flat()) assert.ok(Math.abs(count - 400) < 100, `${count}`);
  });

  it('train where an answer is asked for alone, in one piece or in windows', async () => {
    const data = { task: 'selective-copy', length: 8, items: 2 } as const;
    const losses = [];
    for (const window of [undefined, 10, 4]) {
      const experiment = experimentOf(data, { batchSize: 4, ...(window && { bptt: { window } }) });
      const task = await openTask(experiment, { base: '', workspace: '', allowedPaths: [] });
      const trainer = new Trainer(experiment, task);
      const score = emptyScore();
      const batch = task.trainingBatch(1);
      const { outputs } = evaluate(trainer.model, batch, 'every-step', null);
      task.score(outputs, batch, score);
      assert.equal(score.count, 8);
      losses.push([trainer.advance().trainLoss, score.lossSum / score.count]);
      trainer.dispose();
    }
    for (const [trained, scored] of losses) assert.ok(Math.abs(trained! - scored!) < 1e-5, String(losses));
  });

  it('score the test at its own length with the best weights, and end with its figures', async () => {
    const { folder, outcome } = await trainNew({
      name: 'parity',
      data: { task: 'parity', length: 4, testLength: 12 },
      model: { layers: [{ type: 'rnn', units: 8 }, { type: 'dense' }] },
      training: { steps: 3, batchSize: 8 },
    });
    assert.equal(outcome.reason, 'finished');
    const { ended, scalars, run } = readRun(folder);
    assert.deepEqual(Object.keys(ended!.metrics!), [
      'valAccuracy',
      'valSequenceAccuracy',
      'testLoss',
      'testAccuracy',
      'testSequenceAccuracy',
    ]);
    assert.deepEqual(outcome.metrics, ended!.metrics);
    const tested = scalars.get('testAccuracy')!;
    assert.equal(tested.mean.at(tested.length - 1), Math.fround(ended!.metrics!['testAccuracy'] as number));
    assert.match(run!.task.notes.join(' '), /Sequences of 4 steps.*Test: sequences of 12 steps/);
  });

  it('show a sample in words', async () => {
    const experiment = experimentOf({ task: 'reber', length: 14 }, { batchSize: 8 });
    const task = await openTask(experiment, { base: '', workspace: '', allowedPaths: [] });
    const trainer = new Trainer(experiment, task);
    const sample = whole(task.sample(trainer.model, 0));
    trainer.dispose();
    assert.ok(sample?.type === 'pairs');
    for (const { input, truth, prediction } of sample.rows) {
      assert.match(input, /^B[TP]B[TPSXV]+E[TP]$/);
      assert.match(truth, /^\{TP\}B(\{[BTPSXVE]{2}\}|[BTPSXVE])+E$/);
      assert.equal(prediction.replaceAll(/\{..\}|./g, '.').length, truth.replaceAll(/\{..\}|./g, '.').length);
    }
  });

  it('refuse fields that do not fit together', () => {
    const said = (data: object) =>
      parseExperiment(
        JSON.stringify({ data, model: { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] } }),
      ).problems.map(({ message, path }) => `${path.join('.')}: ${message}`);
    assert.deepEqual(said({ task: 'selective-copy', length: 4, items: 8 }), [
      'data.length: 8 symbols (`items`) do not fit into 4 steps.',
    ]);
    assert.deepEqual(said({ task: 'associative-recall', length: 40, keys: 16 }), [
      'data.keys: 20 pairs need as many different keys, found 16.',
    ]);
    assert.deepEqual(said({ task: 'associative-recall', length: 6, queries: 4 }), [
      'data.queries: 4 keys are asked for, but a sequence has 3 of them.',
    ]);
    assert.match(said({ task: 'reber', length: 8 })[0]!, /^data\.length: .*9/);
    assert.deepEqual(said({ task: 'associative-recall', length: 40, testLength: 80 }), []);
  });
});

/** Every string of the embedded grammar up to so many symbols, with the chance of its walk. */
function reberStrings(most: number): Map<string, number> {
  const graph: Record<number, [string, number][]> = {
    0: [['B', 1]],
    1: [
      ['T', 2],
      ['P', 3],
    ],
    2: [
      ['S', 2],
      ['X', 4],
    ],
    3: [
      ['T', 3],
      ['V', 5],
    ],
    4: [
      ['X', 3],
      ['S', 6],
    ],
    5: [
      ['P', 4],
      ['V', 6],
    ],
    6: [['E', 7]],
  };
  const strings = new Map<string, number>();
  const walk = (state: number, text: string, chance: number): void => {
    if (text.length + 4 > most) return;
    if (state === 7) for (const branch of 'TP') strings.set(`B${branch}${text}${branch}E`, chance / 2);
    else for (const [symbol, to] of graph[state]!) walk(to, text + symbol, chance / graph[state]!.length);
  };
  walk(0, '', 1);
  return strings;
}
