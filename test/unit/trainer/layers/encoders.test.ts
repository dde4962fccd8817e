// What holds of every layer in an encoder-decoder, whichever it is: each layer of the registry that reads across steps is put
// into the encoder and into the decoder, with attention and without. Either the model learns, and writes step by step what one
// pass over the whole target gives, greedily, by beams and by drawing; or `check` says in one sentence why not.
import assert from 'node:assert/strict';
import { tensor, tidy } from '@tensorflow/tfjs-core';
import { CELL_TYPES, kindOf, type LayerType } from '../../../../src/experiment/layers/index.ts';
import { parseExperiment } from '../../../../src/experiment/parse.ts';
import type { Experiment } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { drawnBy } from '../../../../src/trainer/inference/predict/seq2seq.ts';
import { beamSearch, type Ends, greedy } from '../../../../src/trainer/layers/decode.ts';
import { encodedOf } from '../../../../src/trainer/layers/evaluate.ts';
import type { Encoded, Model } from '../../../../src/trainer/layers/model.ts';
import { stepper } from '../../../../src/trainer/layers/stepper.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { Trainer } from '../../../../src/trainer/training/trainer.ts';
import { assertClose } from '../engine/golden.ts';

const WIDTH = 8;
const EMBEDDING = { type: 'embedding', dim: WIDTH };
const ATTENTION = { type: 'attention', score: 'general' };
const STEPS = 3;

interface Form {
  type: LayerType;
  [field: string]: unknown;
}

const FORMS: Form[] = [
  ...CELL_TYPES.map(type => ({ type })),
  { type: 'transformer', causal: false },
  { type: 'transformer', crossAttention: true },
  { type: 'transformer', positions: 'rotary', layers: 2 },
  { type: 'conv1d', stride: 2 },
  { type: 'gru', bidirectional: true, units: WIDTH / 2 },
];

function layerOf(form: Form): object {
  const { widthField } = kindOf(form);
  return widthField ? { [widthField]: WIDTH, ...form } : form;
}

/** The experiment, or what `check` says. */
function checked(encoder: object[], layers: object[]): Experiment | string[] {
  const { experiment, problems } = parseExperiment(
    JSON.stringify({
      data: { task: 'copy', length: 4, symbols: 5 },
      model: { encoder, layers: [...layers, { type: 'dense' }] },
      training: { steps: STEPS, batchSize: 4, optimizer: { type: 'adam', learningRate: 0.01 } },
    }),
  );
  const errors = problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  return errors.length > 0 ? errors : experiment!;
}

/** Learns for some steps; then the source counts, and steps, greedy and beam search are those of whole passes. */
async function learnsAndWrites(experiment: Experiment): Promise<void> {
  const task = await openTask(experiment, { base: '.', workspace: '.', allowedPaths: [] });
  const trainer = new Trainer(experiment, task);
  try {
    for (let step = 0; step < STEPS; step++) {
      const { trainLoss, gradNorm } = trainer.advance();
      assert.ok(Number.isFinite(trainLoss) && gradNorm > 0);
    }
    const { model } = trainer;
    const batch = task.trainingBatch(1);
    const { batch: rows, seqLen } = batch;
    const options = { training: false, step: 0, state: null, outputs: 'every-step' } as const;
    tidy(() => {
      const encoded = encodedOf(model, batch, { training: false, step: 0 })!;
      const whole = (read: Int32Array, own: Encoded, lengths: Int32Array | null) => {
        const input = tensor(read, [read.length / rows, rows], 'int32');
        const { outputs } = model.forward(input, { ...options, lengths, encoded: own });
        return Float32Array.from(outputs.dataSync());
      };
      const outputs = whole(batch.input as Int32Array, encoded, batch.lengths);
      const width = outputs.length / seqLen / rows;
      const walker = stepper(model, rows, encoded);
      let compared = 0;
      for (let t = 0; t < seqLen; t++) {
        const got = walker.step((batch.input as Int32Array).slice(t * rows, (t + 1) * rows));
        for (let row = 0; row < rows; row++) {
          if (t >= batch.lengths![row]!) continue;
          const at = (t * rows + row) * width;
          const own = got.subarray(row * width, (row + 1) * width);
          assertClose(own, outputs.subarray(at, at + width), `step ${t} of sequence ${row}`, 1e-4);
          compared++;
        }
      }
      assert.ok(compared > rows);

      const add = (own: typeof encoded.states) =>
        tensor(
          Float32Array.from(own.dataSync(), value => value + 1),
          own.shape,
        ) as typeof encoded.states;
      const last = encoded.last.map(({ h, ...rest }) => ({ ...rest, h: add(h as never) as never }));
      const other = whole(
        batch.input as Int32Array,
        { ...encoded, states: add(encoded.states), last },
        batch.lengths,
      );
      assert.ok(
        other.some((value, at) => Math.abs(value - outputs[at]!) > 1e-6),
        'the source counts',
      );

      const ends = { start: width - 2, end: width - 1, most: 4 };
      const written = greedy(model, rows, encoded, ends);
      // each symbol is the likeliest of a pass over all that stand before it
      written.forEach((symbols, row) => {
        for (let t = 0; t < symbols.length; t++) {
          const read = Int32Array.from({ length: (t + 1) * rows }, (_, at) => {
            const step = Math.floor(at / rows);
            return step === 0 ? ends.start : (written[at % rows]![step - 1] ?? ends.end);
          });
          const logits = whole(read, encoded, null).subarray(
            (t * rows + row) * width,
            (t * rows + row + 1) * width,
          );
          const most = Math.max(...logits);
          assert.ok(most - logits[symbols[t]!]! < 1e-4, `symbol ${t} of sequence ${row}`);
        }
      });
      drawsAmongTheLikely(model, rows, encoded, ends, whole);
    });
    tidy(() => {
      const one = model.encode(tensor(Int32Array.of(0, 1, 2), [3, 1], 'int32'), {
        training: false,
        step: 0,
        lengths: null,
      });
      const ends = { start: task.sizes.outputs - 2, end: task.sizes.outputs - 1, most: 4 };
      const [greedily] = greedy(model, 1, one, ends);
      const [narrow] = beamSearch(model, one, ends, { width: 1, lengthPenalty: 0 });
      const [wide] = beamSearch(model, one, ends, { width: 3, lengthPenalty: 0 });
      assert.ok(narrow && wide && Number.isFinite(wide.logProbability));
      assert.deepEqual(narrow.symbols.slice(0, greedily!.length), greedily!.slice(0, narrow.symbols.length));
    });
  } finally {
    trainer.dispose();
  }
}

/**
 * What is drawn is greedy's where only one symbol is left or it is very cold; else each symbol is among the likely ones of
 * a pass over all that stand before it, and the same streams draw it again.
 */
function drawsAmongTheLikely(
  model: Model,
  rows: number,
  encoded: Encoded,
  ends: Ends,
  whole: (read: Int32Array, own: Encoded, lengths: null) => Float32Array,
): void {
  const lines = Array.from({ length: rows }, (_, row) => row + 1);
  const drawn = (drawing: { temperature: number; topK?: number; topP?: number }) =>
    greedy(model, rows, encoded, ends, drawnBy({ seed: 7, ...drawing }, lines));
  const written = greedy(model, rows, encoded, ends);
  assert.deepEqual(drawn({ temperature: 3, topK: 1 }), written);
  assert.deepEqual(drawn({ temperature: 0 }), written);
  for (const drawing of [{ temperature: 2, topK: 2 }, { temperature: 2, topP: 0.6 }, { temperature: 4 }]) {
    const said = drawn(drawing);
    assert.deepEqual(drawn(drawing), said);
    said.forEach((symbols, row) => {
      for (let t = 0; t < symbols.length; t++) {
        const read = Int32Array.from({ length: (t + 1) * rows }, (_, at) => {
          const step = Math.floor(at / rows);
          return step === 0 ? ends.start : (said[at % rows]![step - 1] ?? ends.end);
        });
        const all = whole(read, encoded, null);
        const width = all.length / (t + 1) / rows;
        const logits = all.subarray((t * rows + row) * width, (t * rows + row + 1) * width);
        assert.ok(isAmong(logits, symbols[t]!, drawing), `${JSON.stringify(drawing)}, symbol ${t} of ${row}`);
      }
    });
  }
}

/** By the shares of the symbols above it; those within rounding of a limit count as inside. */
function isAmong(
  logits: Float32Array,
  symbol: number,
  { temperature, topK = logits.length, topP = 1 }: { temperature: number; topK?: number; topP?: number },
): boolean {
  const weights = Array.from(logits, logit => Math.exp((logit - logits[symbol]!) / temperature));
  const above = weights.filter(weight => weight > 1 + 1e-3);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return above.length < topK && sum(above) < topP * sum(weights) * (1 + 1e-3);
}

async function isClear(encoder: object[], layers: object[]): Promise<void> {
  const found = checked(encoder, layers);
  if (!Array.isArray(found)) return learnsAndWrites(found);
  assert.equal(found.length, 1, found.join('\n'));
  assert.match(found[0]!, /^[A-Z].*\.$/);
}

describe('an encoder-decoder', () => {
  before(() => startEngine('native', 1));
  const cell = { type: 'gru', units: WIDTH };

  for (const form of FORMS) {
    const said = Object.keys(form).length > 1 ? JSON.stringify(form) : form.type;
    const layer = layerOf(form);
    it(`has an encoder of ${said} that attention reads`, async () => {
      const found = checked([EMBEDDING, layer], [EMBEDDING, cell, ATTENTION]);
      if (kindOf(form).readsEncoder?.(form)) {
        assert.ok(Array.isArray(found) && found.length === 1);
        return;
      }
      assert.ok(!Array.isArray(found), String(found));
      await learnsAndWrites(found);
    });
    it(`has an encoder of ${said} alone`, () => isClear([EMBEDDING, layer], [EMBEDDING, cell]));
    it(`has a decoder of ${said} with attention`, () =>
      isClear([EMBEDDING, cell], [EMBEDDING, layer, ATTENTION]));
    it(`has a decoder of ${said} alone`, () => isClear([EMBEDDING, cell], [EMBEDDING, layer]));
  }

  it('reads a source through convolution and pooling', async () => {
    const encoder = [EMBEDDING, { type: 'conv1d', units: WIDTH, padding: 'same' }, { type: 'pool' }];
    const found = checked(encoder, [EMBEDDING, cell, ATTENTION]);
    assert.ok(!Array.isArray(found));
    await learnsAndWrites(found);
  });

  it('is refused where no layer of the decoder reads the source', () => {
    for (const [encoder, decoder] of [
      [{ type: 'tcn', units: WIDTH }, cell],
      [cell, { type: 'tcn', units: WIDTH }],
      [cell, { ...cell, initialState: 'zeros' }],
    ] as const)
      assert.deepEqual(checked([EMBEDDING, encoder], [EMBEDDING, decoder]), [
        'No layer of `layers` reads the source: none looks at the encoder\'s states, and none begins in a last state of the encoder. Add { "type": "attention" } before the last layer.',
      ]);
  });

  it('hands on what both cells have, and says so', async () => {
    for (const [from, to, message] of [
      [
        'lstm',
        'gru',
        /^This GRU begins in h of the encoder's last state; it has no cell state, and c is left out\.$/,
      ],
      [
        'gru',
        'lstm',
        /^This LSTM begins in h of the encoder's last state, and its c in zeros: the encoder has no cell state\.$/,
      ],
    ] as const)
      for (const bridge of [{}, { units: 6, bridge: 'dense' }]) {
        const encoder = [EMBEDDING, { type: from, units: WIDTH }];
        const decoder = [EMBEDDING, { type: to, units: WIDTH, ...bridge }];
        const found = checked(encoder, decoder);
        assert.ok(!Array.isArray(found), String(found));
        const { problems } = parseExperiment(
          JSON.stringify({
            data: { task: 'copy' },
            model: { encoder, layers: [...decoder, { type: 'dense' }] },
          }),
        );
        const isTold = from === 'lstm' || !('bridge' in bridge);
        assert.deepEqual(
          problems.map(({ severity }) => severity),
          isTold ? ['warning'] : [],
        );
        if (isTold) assert.match(problems[0]!.message, message);
        await learnsAndWrites(found);
      }
  });
});
