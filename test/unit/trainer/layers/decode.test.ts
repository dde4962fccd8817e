// Greedy and beam search against all sequences of a small vocabulary, scored one by one.
import assert from 'node:assert/strict';
import { mul, tensor } from '@tensorflow/tfjs-core';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { beamSearch, greedy, type Hypothesis } from '../../../../src/trainer/layers/decode.ts';
import type { Encoded, Model } from '../../../../src/trainer/layers/model.ts';

const [START, END, MOST] = [3, 4, 4];
const ends = { start: START, end: END, most: MOST };

const experiment = experimentSchema.parse({
  data: { task: 'seq2seq', path: 'd.tsv' },
  model: {
    encoder: [{ type: 'gru', units: 4 }],
    layers: [{ type: 'gru', units: 4 }, { type: 'attention', score: 'dot' }, { type: 'dense' }],
  },
} satisfies ExperimentInput);

function modelOf(seed: number): Model {
  const tokens = { kind: 'tokens' as const, vocabulary: 5 };
  const model = buildModel(experiment, { input: tokens, source: tokens, outputs: 5, steps: 5 }, seed);
  // larger weights, so that sequences differ in what they are worth
  for (const variable of model.variables.values()) variable.assign(mul(variable, 3));
  return model;
}

function encodedOf(model: Model, source: number[]): Encoded {
  const input = tensor(Int32Array.from(source), [source.length, 1], 'int32');
  return model.encode(input, { training: false, step: 0, lengths: null });
}

/** log p of every symbol after these, by one pass over the whole sequence. */
function nextOf(model: Model, encoded: Encoded, symbols: readonly number[]): number[] {
  const read = Int32Array.of(START, ...symbols);
  const { outputs } = model.forward(tensor(read, [read.length, 1], 'int32'), {
    training: false,
    step: 0,
    lengths: null,
    state: null,
    encoded,
    outputs: 'last-step',
  });
  const logits = [...outputs.dataSync()];
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return logits.map(logit => logit - total);
}

/** All that end within MOST steps. */
function allOf(model: Model, encoded: Encoded): Hypothesis[] {
  const ended: Hypothesis[] = [];
  const visit = (symbols: number[], logProbability: number) => {
    if (symbols.length === MOST) return;
    nextOf(model, encoded, symbols).forEach((own, symbol) => {
      if (symbol === END) ended.push({ symbols, logProbability: logProbability + own });
      else visit([...symbols, symbol], logProbability + own);
    });
  };
  visit([], 0);
  return ended;
}

describe('decoding', () => {
  before(() => startEngine('reference', null));

  for (const lengthPenalty of [0, 1])
    it(`finds the best of all sequences with beams enough, length penalty ${lengthPenalty}`, () => {
      const model = modelOf(5);
      const encoded = encodedOf(model, [0, 2, 1]);
      const scoreOf = ({ symbols, logProbability }: Hypothesis) =>
        logProbability / ((5 + symbols.length + 1) / 6) ** lengthPenalty;
      const all = allOf(model, encoded).sort((a, b) => scoreOf(b) - scoreOf(a));
      const found = beamSearch(model, encoded, ends, { width: 300, lengthPenalty });
      for (let rank = 0; rank < 5; rank++) {
        assert.deepEqual(found[rank]!.symbols, all[rank]!.symbols);
        assert.ok(Math.abs(found[rank]!.logProbability - all[rank]!.logProbability) < 1e-5);
      }
      model.dispose();
    });

  it('takes the most likely symbol at each step where it is greedy', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const model = modelOf(seed);
      const encoded = encodedOf(model, [1, 0]);
      const symbols: number[] = [];
      for (let t = 0; t < MOST; t++) {
        const next = nextOf(model, encoded, symbols);
        const best = next.indexOf(Math.max(...next));
        if (best === END) break;
        symbols.push(best);
      }
      assert.deepEqual(greedy(model, 1, encoded, ends), [symbols]);
      model.dispose();
    }
  });

  it('ends where a model has no learned position left', () => {
    const blocks = experimentSchema.parse({
      data: { task: 'seq2seq', path: 'd.tsv' },
      model: {
        encoder: [{ type: 'gru', units: 4 }],
        layers: [
          { type: 'embedding', dim: 4 },
          { type: 'transformer', heads: 2, crossAttention: true },
          { type: 'dense' },
        ],
      },
    } satisfies ExperimentInput);
    const tokens = { kind: 'tokens' as const, vocabulary: 5 };
    const model = buildModel(blocks, { input: tokens, source: tokens, outputs: 5, steps: 3 }, 1);
    model.variables.get('layers.2.bias')!.assign(tensor([0, 0, 0, 0, -100]));
    const encoded = encodedOf(model, [0, 2, 1]);
    const [symbols] = greedy(model, 1, encoded, { ...ends, most: 8 });
    assert.equal(symbols!.length, 3);
    for (const { symbols } of beamSearch(
      model,
      encoded,
      { ...ends, most: 8 },
      { width: 2, lengthPenalty: 0 },
    ))
      assert.equal(symbols.length, 3);
    model.dispose();
  });

  it('writes the sequences of a batch as it writes each alone', () => {
    const model = modelOf(2);
    const sources = [[0, 1, 2], [2, 2], [1]];
    const together = Int32Array.from({ length: 9 }, (_, at) => sources[at % 3]![Math.floor(at / 3)] ?? 0);
    const encoded = model.encode(tensor(together, [3, 3], 'int32'), {
      training: false,
      step: 0,
      lengths: Int32Array.of(3, 2, 1),
    });
    const alone = sources.flatMap(source => greedy(model, 1, encodedOf(model, source), ends));
    assert.deepEqual(greedy(model, 3, encoded, ends), alone);
    model.dispose();
  });
});
