// What is found, and not found, in real runs. The healthy ones are those of which a naive check of the gradient at
// the start would say that it vanishes.
import assert from 'node:assert/strict';
import { experimentSchema } from '../../../src/experiment/schema.ts';
import { play, readRecording } from './recorded.ts';

describe('diagnosis of recorded runs', () => {
  const healthy = [
    'adding-100-gru',
    'adding-200-gru',
    'order-50-gru',
    // at the baseline for 1,250 updates with a ratio of 1e-9 that rises slowly; then it solves the task
    'adding-100-lstm-forget-1',
    // the same, from 1e-21, and on its way when it ends
    'adding-100-lstm',
  ];
  for (const name of healthy)
    it(`finds nothing in ${name}`, () => {
      const recording = readRecording(name);
      assert.ok(recording.ratios[0]![1]! < -7, 'its gradient seems to vanish at the start');
      assert.deepEqual(
        play(recording).map(({ id, step }) => `${id} at ${step}`),
        [],
      );
    });

  it('says of a tanh RNN on 100 steps that the gradient vanishes, and later that it explodes', () => {
    const found = play(readRecording('adding-100-rnn'));
    assert.deepEqual(
      found.map(({ id, severity, layer }) => [id, severity, layer]),
      [
        ['vanishing', 'warning', 'layers.0'],
        ['exploding', 'warning', null],
      ],
    );
    const [vanishing, exploding] = found;
    assert.ok(vanishing!.step >= 300 && vanishing!.step < 600);
    assert.ok((vanishing!.evidence['ratio'] as number) < 1e-10);
    assert.ok(Math.abs((vanishing!.evidence['baseline'] as number) - 1 / 6) < 1e-9);
    assert.deepEqual(vanishing!.fixes[0], {
      title: 'Use an LSTM',
      edits: [{ path: ['model', 'layers', 0, 'type'], value: 'lstm' }, removed('activation')],
    });
    assert.ok((exploding!.evidence['largest'] as number) > 100);
    assert.match(exploding!.message, /Clipping at 1 cut \d+ % of these updates/);
  });

  it('says of an LSTM whose ratio falls that the gradient vanishes, and opens its forget gate', () => {
    const found = play(readRecording('order-50-lstm'));
    assert.deepEqual(
      found.map(({ id }) => id),
      ['vanishing'],
    );
    assert.match(
      found[0]!.message,
      /after \d+ updates .* first of 50 steps .* guessing one of four \(1\.39\)/,
    );
    assert.deepEqual(found[0]!.fixes[0]!.edits, [{ path: ['model', 'layers', 0, 'forgetBias'], value: 1 }]);
    assert.ok(!found[0]!.fixes.some(({ title }) => title.includes('LSTM')));
  });

  it('says of a ReLU RNN under SGD that the gradient vanishes', () => {
    const found = play(readRecording('adding-60-relu-sgd'));
    assert.deepEqual(
      found.map(({ id }) => id),
      ['vanishing'],
    );
    // it is orthogonal already
    assert.ok(!found[0]!.fixes.some(({ title }) => title.includes('orthogonal')));
  });

  it('says when a GRU begins to learn a small text by heart, with the best step', () => {
    const recording = readRecording('small-text-gru');
    const found = play(recording);
    assert.deepEqual(
      found.map(({ id }) => id),
      ['overfitting'],
    );
    const best = recording.validations.reduce((least, each) => (each[1] < least[1] ? each : least));
    assert.equal(found[0]!.evidence['bestStep'], best[0]);
    assert.ok(found[0]!.step > best[0]);
    assert.deepEqual(found[0]!.fixes[0]!.edits, [
      { path: ['training', 'earlyStopping'], value: { patience: 5 } },
    ]);
  });

  it('says nothing in the first 299 updates of any of them but for what a validation shows', () => {
    for (const name of [...healthy, 'adding-100-rnn', 'order-50-lstm', 'adding-60-relu-sgd'])
      assert.deepEqual(play(readRecording(name), 299), [], name);
  });
});

describe('fixes', () => {
  it('make experiments that are valid and other than before', () => {
    for (const name of ['adding-100-rnn', 'order-50-lstm', 'adding-60-relu-sgd', 'small-text-gru']) {
      const recording = readRecording(name);
      const fixes = play(recording).flatMap(finding => finding.fixes);
      assert.ok(fixes.length > 0);
      for (const fix of fixes) {
        const changed = structuredClone(recording.experiment);
        for (const { path, value } of fix.edits) assign(changed, path, value);
        const parsed = experimentSchema.safeParse(changed);
        assert.ok(parsed.success, `${name}: ${fix.title}: ${parsed.error?.message}`);
        assert.notDeepEqual(parsed.data, recording.experiment, `${name}: ${fix.title} changes nothing`);
      }
    }
  });
});

function assign(root: object, path: readonly (string | number)[], value: unknown): void {
  let here = root as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) here = here[key] as Record<string | number, unknown>;
  if (value === undefined) delete here[path.at(-1)!];
  else here[path.at(-1)!] = value;
}

function removed(field: string) {
  return { path: ['model', 'layers', 0, field], value: undefined };
}
