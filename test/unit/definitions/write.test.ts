// A model in another framework: read back by our own detection it is the same model, and what differs is named.
import assert from 'node:assert/strict';
import { CONVENTION_OF, FRAMEWORK_NAMES, type Framework } from '../../../src/definitions/definition.ts';
import { type LayerInput, type Mapped, toExperiment } from '../../../src/definitions/to-experiment.ts';
import { writeAs } from '../../../src/definitions/write/write.ts';
import type { Convention } from '../../../src/experiment/schema.ts';
import { find } from './find.ts';

const FRAMEWORKS: Framework[] = ['torch', 'keras', 'tfjs'];

async function readBack(to: Framework, mapped: Mapped) {
  const { language, text } = writeAs(to, 'wind-farm model', mapped);
  const { models, hasErrors } = await find(language, text);
  assert.equal(hasErrors, false, text);
  assert.equal(models.length, 1, text);
  assert.equal(models[0]!.framework, to);
  const { layers, obstacles, convention } = toExperiment(models[0]!);
  assert.deepEqual(obstacles, [], text);
  return { text, differs: text.match(/Differs: .*/g)?.join('\n') ?? '', layers: plainly(layers, convention) };
}

interface Plain {
  type: string;
  forgetBias?: number;
  resets?: boolean;
  begins?: string;
}

/** Stacked layers one by one, and what a convention does by default said in full. */
function plainly(layers: readonly LayerInput[], convention: Convention): Plain[] {
  return layers.flatMap((layer): Plain[] => {
    if (layer.type !== 'rnn' && layer.type !== 'gru' && layer.type !== 'lstm') return [layer];
    const { layers: levels = 1, dropout = 0, recurrentInit = 'default', ...one } = layer;
    const usual = convention === 'pytorch' ? 'uniform' : 'orthogonal';
    const plain: Plain = { ...one, begins: recurrentInit === 'default' ? usual : recurrentInit };
    if (layer.type === 'lstm')
      plain.forgetBias = layer.forgetBias ?? { keras: 1, tfjs: 0, pytorch: 0 }[convention];
    if (layer.type === 'gru') {
      plain.resets = layer.resetAfter ?? convention !== 'tfjs';
      delete (plain as { resetAfter?: boolean }).resetAfter;
    }
    return Array.from({ length: levels }, (_, level) => [
      ...(level > 0 && dropout > 0 ? [{ type: 'dropout', rate: dropout }] : []),
      plain,
    ]).flat();
  });
}

/** Where it is another model after all, its code must say so. */
function compare(before: readonly Plain[], after: readonly Plain[], differs: string): void {
  const bare = ({ forgetBias: _f, resets: _r, begins: _b, ...plain }: Plain) => plain;
  assert.deepEqual(after.map(bare), before.map(bare));
  for (const [index, was] of before.entries()) {
    const is = after[index]!;
    if (is.forgetBias !== was.forgetBias) assert.match(differs, /forget bias/, JSON.stringify([was, is]));
    if (is.resets !== was.resets) assert.match(differs, /resets (?:before|after)/, JSON.stringify([was, is]));
    if (is.begins !== was.begins) assert.match(differs, /recurrent weights/i, JSON.stringify([was, is]));
  }
}

const recurrent = (type: 'rnn' | 'gru' | 'lstm', more: object = {}) =>
  ({ type, units: 24, ...more }) as LayerInput;
const models: [string, LayerInput[]][] = [
  ...(['rnn', 'gru', 'lstm'] as const).flatMap((type): [string, LayerInput[]][] => [
    [type, [recurrent(type), { type: 'dense' }]],
    [`${type} both ways`, [recurrent(type, { bidirectional: true }), { type: 'dense' }]],
    [`${type} of three levels`, [recurrent(type, { layers: 3, dropout: 0.2 }), { type: 'dense' }]],
  ]),
  ['forget bias 0', [recurrent('lstm', { forgetBias: 0 }), { type: 'dense' }]],
  ['forget bias 1', [recurrent('lstm', { forgetBias: 1 }), { type: 'dense' }]],
  ['reset before', [recurrent('gru', { resetAfter: false }), { type: 'dense' }]],
  ['identity', [recurrent('rnn', { recurrentInit: 'identity' }), { type: 'dense' }]],
  ['relu', [recurrent('rnn', { activation: 'relu' }), { type: 'dense' }]],
  [
    'text',
    [
      { type: 'embedding', dim: 12 },
      recurrent('lstm'),
      { type: 'layer-norm' },
      recurrent('gru', { bidirectional: true }),
      { type: 'dropout', rate: 0.5 },
      { type: 'dense', units: 20, activation: 'relu' },
      { type: 'dense', units: 10, activation: 'tanh' },
      { type: 'dense' },
    ],
  ],
];

describe('a model opened in another framework', () => {
  for (const from of FRAMEWORKS)
    for (const to of FRAMEWORKS.filter(each => each !== from))
      for (const [name, layers] of models)
        it(`is the same, from ${FRAMEWORK_NAMES[from]} to ${FRAMEWORK_NAMES[to]}: ${name}`, async () => {
          const convention = CONVENTION_OF[from];
          const mapped = { convention, layers, origins: [], notes: [], obstacles: [] };
          const back = await readBack(to, mapped);
          compare(plainly(layers, convention), back.layers, back.differs);
        });

  it('names of a layer what its framework needs, and nothing else', () => {
    const lines = (to: Framework, more: object) => {
      const layers = [recurrent('lstm', more), { type: 'dense' } as LayerInput];
      const { text } = writeAs(to, 'm', {
        convention: 'pytorch',
        layers,
        origins: [],
        notes: [],
        obstacles: [],
      });
      return text
        .split('\n')
        .flatMap(line => /(?:nn|tf\.layers)\.(?:LSTM|lstm|Linear|dense).*\)/.exec(line) ?? []);
    };
    const out = 'nn.Linear(24, outputs)';
    assert.deepEqual(lines('torch', {}), ['nn.LSTM(inputs, 24, batch_first=True)', out]);
    assert.deepEqual(lines('torch', { layers: 2 }), [
      'nn.LSTM(inputs, 24, num_layers=2, batch_first=True)',
      out,
    ]);
    assert.deepEqual(lines('torch', { layers: 2, dropout: 0.2 }), [
      'nn.LSTM(inputs, 24, num_layers=2, batch_first=True, dropout=0.2)',
      out,
    ]);
    assert.deepEqual(lines('torch', { dropout: 0.2 }), ['nn.LSTM(inputs, 24, batch_first=True)', out]);
    assert.deepEqual(lines('torch', { bidirectional: true }), [
      'nn.LSTM(inputs, 24, batch_first=True, bidirectional=True)',
      'nn.Linear(48, outputs)',
    ]);
    const cell = "units: 24, recurrentActivation: 'sigmoid', returnSequences: true";
    assert.deepEqual(lines('tfjs', { layers: 2 }), [
      `tf.layers.lstm({ ${cell}, inputShape: [null, inputs] })`,
      `tf.layers.lstm({ ${cell} })`,
      'tf.layers.dense({ units: outputs })',
    ]);
  });

  it('keeps what only defaults said', async () => {
    const one = async (from: Convention, to: Framework, layer: LayerInput) => {
      const layers: LayerInput[] = [layer, { type: 'dense' }];
      const back = await readBack(to, { convention: from, layers, origins: [], notes: [], obstacles: [] });
      return back.layers[0]!;
    };
    assert.equal((await one('keras', 'tfjs', recurrent('lstm'))).forgetBias, 1);
    assert.equal((await one('tfjs', 'keras', recurrent('lstm'))).forgetBias, 0);
    assert.equal((await one('tfjs', 'keras', recurrent('gru'))).resets, false);
    for (const to of FRAMEWORKS)
      for (const recurrentInit of ['identity', 'orthogonal', 'glorot-uniform', 'zeros'] as const)
        for (const more of [{}, { layers: 2 }])
          assert.equal(
            (await one('pytorch', to, recurrent('rnn', { recurrentInit, ...more }))).begins,
            recurrentInit,
          );
  });
});
