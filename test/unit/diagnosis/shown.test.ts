// From the rows of a run to what findings look at, how far back its gradient reaches, the numbers in their sentences,
// and the edits that they propose.
import assert from 'node:assert/strict';
import * as fixes from '../../../src/diagnosis/fixes.ts';
import { RowReader } from '../../../src/diagnosis/rows.ts';
import { runReach } from '../../../src/diagnosis/run-reach.ts';
import { sinceThen } from '../../../src/diagnosis/since.ts';
import { count, figure, percent } from '../../../src/diagnosis/text.ts';
import { type ExperimentInput, experimentSchema } from '../../../src/experiment/schema.ts';
import type { SeriesSidecar } from '../../../src/runs/format.ts';

const sidecar = (name: string, width: number, rest: Partial<SeriesSidecar>): SeriesSidecar => ({
  name,
  view: 'lines',
  unit: '',
  width,
  axes: [],
  layers: [],
  ...rest,
});
const level = (name: string, family: 'recurrent' | 'attention') => ({
  name,
  title: name,
  family,
  units: 9,
});

describe('rows of a run', () => {
  it('are cut into levels, gates and layers', () => {
    const reader = new RowReader([
      sidecar('gradient-flow', 9, {
        layers: [
          level('layers.0', 'recurrent'),
          level('layers.1', 'attention'),
          level('layers.2.1', 'recurrent'),
        ],
      }),
      sidecar('gates', 6, {
        axes: [
          { name: 'gate', size: 2, labels: ['layers.0 f', 'layers.2.1 o'] },
          { name: 'time', size: 3 },
        ],
      }),
      sidecar('dead-units', 2, { axes: [{ name: 'layer', size: 2, labels: ['layers.3', 'layers.4'] }] }),
    ]);
    const counted = (from: number, length: number) => Float32Array.from({ length }, (_, i) => from + i);
    const read = reader.read(
      new Map([
        ['gradient-flow', counted(0, 9)],
        ['gates', counted(10, 6)],
        ['saturation', counted(20, 6)],
        ['dead-units', counted(30, 2)],
      ]),
    );
    assert.deepEqual(read, {
      flow: [
        { layer: 'layers.0', norms: Float32Array.of(0, 1, 2) },
        { layer: 'layers.2.1', norms: Float32Array.of(6, 7, 8) },
      ],
      gates: [
        {
          layer: 'layers.0',
          gate: 'f',
          mean: Float32Array.of(10, 11, 12),
          saturation: Float32Array.of(20, 21, 22),
        },
        {
          layer: 'layers.2.1',
          gate: 'o',
          mean: Float32Array.of(13, 14, 15),
          saturation: Float32Array.of(23, 24, 25),
        },
      ],
      dead: [
        { layer: 'layers.3', share: 30 },
        { layer: 'layers.4', share: 31 },
      ],
    });
    assert.deepEqual(reader.read(new Map([['gates', counted(0, 6)]])), {}, 'means without saturation');
    assert.deepEqual(new RowReader([]).read(new Map()), {});
  });
});

describe('the reach of a run', () => {
  const T = 5;
  /** norms that arrive from `steps` back on */
  const arriving = (steps: number) => Array.from({ length: T }, (_, t) => (t >= T - 1 - steps ? 1 : 0));
  const of = (reaches: readonly number[], families: readonly ('recurrent' | 'attention')[]) =>
    runReach({
      sidecar: sidecar('gradient-flow', T * families.length, {
        layers: families.map((family, index) => level(`layers.${index}`, family)),
      }),
      // the level that is looked at is the last recurrent one; the others reach all the way
      rows: reaches.map(steps => {
        const main = Math.max(0, families.lastIndexOf('recurrent'));
        return Float32Array.from(families.flatMap((_, index) => arriving(index === main ? steps : T - 1)));
      }),
    });

  it('is the median of its ten newest probes, at the last recurrent level', () => {
    assert.equal(of([4, 4, 4, 0, 0, 0, 0, 1, 2, 2, 3, 3, 3], ['recurrent']), 2);
    assert.equal(of([1, 2, 3], ['recurrent', 'recurrent', 'attention']), 2);
    assert.equal(of([0, 1], ['attention', 'attention']), 1);
    assert.equal(runReach(undefined), null);
    assert.equal(of([], ['recurrent']), null);
  });
});

describe('numbers in sentences', () => {
  it('have three digits, or a power of ten', () => {
    const shown = [0, 0.001, 0.000999, 1.2345, 999_999, 1_000_000, -2_345_678, 12_345, Number.NaN].map(
      figure,
    );
    assert.deepEqual(shown, ['0', '0.001', '1e-3', '1.23', '1000000', '1e+6', '-2e+6', '12300', 'NaN']);
    assert.deepEqual([1234.5, 0.4].map(count), ['1,235', '0']);
    assert.deepEqual([0.005, 0.125, 1].map(percent), ['1 %', '13 %', '100 %']);
  });

  it('of a loss later on are told where it moved by more than 2 %', () => {
    const later = (now: number) =>
      sinceThen(
        { id: 'plateau', step: 100, evidence: { trainLoss: 50 } },
        { step: 101, last: { trainLoss: now } },
      );
    assert.deepEqual([49, 51].map(later), [null, null]);
    assert.equal(later(51.1), 'Since then the training loss went to 51.1 (step 101).');
    assert.equal(later(48.9), 'Since then the training loss went to 48.9 (step 101).');
  });
});

describe('the edits of a finding', () => {
  type Layers = ExperimentInput['model']['layers'];
  const experimentOf = (layer: object, training: object = {}, model: object = {}) =>
    experimentSchema.parse({
      data: { task: 'char-lm', path: 'a.txt' },
      model: {
        layers: [{ type: 'embedding', dim: 8 }, layer, { type: 'dense' }] as Layers,
        ...model,
      },
      training,
    });
  const edit = (fix: ReturnType<typeof fixes.lstm>) => fix?.edits[0]?.value ?? null;

  it('open a forget gate by one step, up to 3', () => {
    const of = (layer: object, convention = 'pytorch') =>
      edit(fixes.forgetBias(experimentOf({ units: 9, ...layer }, {}, { convention }), 1));
    const lstm = { type: 'lstm' };
    assert.equal(of(lstm), 1);
    assert.equal(of({ ...lstm, forgetBias: 0.9 }), 1);
    assert.equal(of({ ...lstm, forgetBias: 1 }), 3);
    assert.equal(of({ ...lstm, forgetBias: 2.9 }), 3);
    assert.equal(of({ ...lstm, forgetBias: 3 }), null);
    assert.equal(of(lstm, 'keras'), 3);
    assert.equal(of({ type: 'gru' }), null);
  });

  it('raise dropout between stacked layers to 0.2, then to 0.5', () => {
    const of = (layers: number, dropout: number) =>
      edit(fixes.dropout(experimentOf({ type: 'gru', units: 9, layers, dropout })));
    assert.deepEqual(
      [0, 0.19, 0.2, 0.49, 0.5].map(dropout => of(2, dropout)),
      [0.2, 0.2, 0.5, 0.5, null],
    );
    assert.equal(of(1, 0), null);
  });

  it('halve units from 16 on, penalise where nothing does, and clip where it is not clipped as low', () => {
    const units = (count: number) => edit(fixes.fewerUnits(experimentOf({ type: 'lstm', units: count })));
    assert.deepEqual([15, 16, 33].map(units), [null, 8, 16]);
    const lstm = { type: 'lstm', units: 9 };
    assert.equal(edit(fixes.weightPenalty(experimentOf(lstm, { l2: 0 }))), 1e-4);
    assert.equal(fixes.weightPenalty(experimentOf(lstm, { l2: 1e-9 })), null);
    const clip = (clipNorm: number | null) => edit(fixes.clip(experimentOf(lstm, { clipNorm }), 1));
    assert.deepEqual([null, 1.1, 1, 0.5].map(clip), [1, 1, null, null]);
  });

  it('let the gradient through where a window is shorter than the sequence', () => {
    const of = (window?: number) =>
      fixes.wholeWindow(
        experimentOf({ type: 'lstm', units: 9 }, window ? { seqLen: 64, bptt: { window } } : {}),
        64,
      );
    assert.equal(of(63)?.edits.length, 1);
    assert.equal(of(64), null);
    assert.equal(of(), null);
  });

  it('start a simple cell as an IRNN, or with orthogonal weights, unless it does', () => {
    const irnn = (layer: object) => fixes.identityRelu(experimentOf({ type: 'rnn', units: 9, ...layer }), 1);
    assert.ok(irnn({}));
    assert.ok(irnn({ activation: 'relu' }));
    assert.ok(irnn({ recurrentInit: 'identity' }));
    assert.equal(irnn({ activation: 'relu', recurrentInit: 'identity' }), null);
    const orthogonal = (layer: object, convention: string) =>
      fixes.orthogonal(experimentOf({ type: 'gru', units: 9, ...layer }, {}, { convention }), 1);
    assert.ok(orthogonal({}, 'pytorch'));
    assert.equal(orthogonal({}, 'keras'), null);
    assert.ok(orthogonal({ recurrentInit: 'uniform' }, 'keras'));
    assert.equal(orthogonal({ recurrentInit: 'orthogonal' }, 'pytorch'), null);
  });
});
