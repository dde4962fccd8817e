// The same model in another framework, as code a person would write, with what differs named at its top.
import { resetsAfter } from '../../experiment/layers/gru.ts';
import type { Convention } from '../../experiment/schema.ts';
import { CONVENTION_OF, FRAMEWORK_NAMES, type Framework } from '../definition.ts';
import type { LayerInput, Mapped } from '../to-experiment.ts';
import { writeKeras } from './keras.ts';
import { writeTfjs } from './tfjs.ts';
import { writeTorch } from './torch.ts';

export interface Written {
  language: 'python' | 'typescript';
  text: string;
}

type RecurrentInput = Extract<LayerInput, { type: 'rnn' | 'gru' | 'lstm' }>;
type RecurrentInit = NonNullable<RecurrentInput['recurrentInit']>;

const WRITERS = { torch: writeTorch, keras: writeKeras, tfjs: writeTfjs };

export function writeAs(framework: Framework, name: string, mapped: Mapped): Written {
  const language = framework === 'tfjs' ? 'typescript' : 'python';
  const comment = language === 'python' ? '#' : '//';
  const from = { pytorch: 'PyTorch', keras: 'Keras', tfjs: 'TensorFlow.js' }[mapped.convention];
  const head = [
    `${name}, from ${from}, as ${FRAMEWORK_NAMES[framework]} has it.`,
    ...differences(framework, mapped).map(each => `Differs: ${each}`),
  ];
  const body = WRITERS[framework](
    identifier(name),
    mapped.layers.map(spelledOut(framework, mapped.convention)),
  );
  return { language, text: `${head.map(line => `${comment} ${line}`).join('\n')}\n${body}` };
}

/** What a framework does where nothing is said: said where the other one does otherwise, and only there. */
function spelledOut(to: Framework, from: Convention): (layer: LayerInput) => LayerInput {
  const target = CONVENTION_OF[to];
  return layer => {
    if (!isRecurrent(layer)) return layer;
    const init = initOf(from, layer);
    const recurrentInit = init === initOf(target, { ...layer, recurrentInit: 'default' }) ? 'default' : init;
    if (layer.type === 'lstm') {
      const bias = forgetBiasOf(from, layer);
      const { forgetBias: _, ...others } = { ...layer, recurrentInit };
      return bias === forgetBiasOf(target, others) ? others : { ...others, forgetBias: bias };
    }
    if (layer.type === 'gru') {
      const resets = resetsAfter(from, layer.resetAfter);
      const { resetAfter: _, ...others } = { ...layer, recurrentInit };
      return resets === resetsAfter(target) ? others : { ...others, resetAfter: resets };
    }
    return { ...layer, recurrentInit };
  };
}

/** PyTorch draws it around 0, which no other can say. */
function forgetBiasOf(convention: Convention, { forgetBias }: Extract<LayerInput, { type: 'lstm' }>): number {
  return forgetBias ?? (convention === 'keras' ? 1 : 0);
}

function initOf(convention: Convention, { recurrentInit = 'default' }: RecurrentInput): RecurrentInit {
  if (recurrentInit !== 'default') return recurrentInit;
  return convention === 'pytorch' ? 'uniform' : 'orthogonal';
}

/** What the same words mean elsewhere, in sentences. */
function differences(to: Framework, { convention, layers }: Mapped): string[] {
  const found = new Set<string>();
  const target = CONVENTION_OF[to];
  if (target === convention) return [];
  for (const layer of layers) {
    if (layer.type === 'gru') {
      const before = resetsAfter(convention, layer.resetAfter);
      if (to === 'torch' && !before)
        found.add(
          'this GRU resets before the recurrent product; PyTorch resets after it. Weights cannot be carried over.',
        );
      if (to === 'tfjs' && before)
        found.add(
          'this GRU resets after the recurrent product; TensorFlow.js can only reset before it. Weights cannot be carried over.',
        );
    }
    if (layer.type === 'lstm' || layer.type === 'gru') {
      if (to === 'tfjs')
        found.add('recurrentActivation is set to sigmoid; the default of TensorFlow.js is hardSigmoid.');
      if (to === 'torch' && layer.type === 'lstm') {
        const bias = forgetBiasOf(convention, layer);
        if (bias !== 0) found.add(`PyTorch starts with a forget bias near 0; this LSTM starts with ${bias}.`);
      }
    }
    if (isRecurrent(layer)) {
      if (to === 'torch')
        found.add('PyTorch draws input weights and biases uniformly; here they began as Glorot and 0.');
      else if (convention === 'pytorch')
        found.add(
          `${FRAMEWORK_NAMES[to]} begins with Glorot's input weights and biases of 0; PyTorch draws both uniformly.`,
        );
      if (to !== 'torch' && initOf(convention, layer) === 'uniform')
        found.add(
          `recurrent weights begin orthogonal, the default of ${FRAMEWORK_NAMES[to]}; PyTorch draws them uniformly.`,
        );
      if (to === 'torch') found.add('PyTorch has two biases for each gate, so it counts more parameters.');
      else if (convention === 'pytorch')
        found.add(`${FRAMEWORK_NAMES[to]} has one bias for each gate, so it counts fewer parameters.`);
    }
  }
  return [...found];
}

function isRecurrent(layer: LayerInput): layer is RecurrentInput {
  return layer.type === 'rnn' || layer.type === 'gru' || layer.type === 'lstm';
}

function identifier(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_]/g, '');
  const word = /^[A-Za-z_]/.test(plain) ? plain : `Model${plain}`;
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
