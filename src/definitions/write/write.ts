// The same model in another framework, as code a person would write, with what differs named at its top.
import { resetsAfter } from '../../experiment/parameters.ts';
import type { RecurrentLayer } from '../../experiment/schema.ts';
import { CONVENTION_OF, FRAMEWORK_NAMES, type Framework } from '../definition.ts';
import type { Mapped } from '../to-experiment.ts';
import { writeKeras } from './keras.ts';
import { writeTfjs } from './tfjs.ts';
import { writeTorch } from './torch.ts';

export interface Written {
  language: 'python' | 'typescript';
  text: string;
}

const WRITERS = { torch: writeTorch, keras: writeKeras, tfjs: writeTfjs };

export function writeAs(framework: Framework, name: string, mapped: Mapped): Written {
  const language = framework === 'tfjs' ? 'typescript' : 'python';
  const comment = language === 'python' ? '#' : '//';
  const from = { pytorch: 'PyTorch', keras: 'Keras', tfjs: 'TensorFlow.js' }[mapped.convention];
  const head = [
    `${name}, from ${from}, as ${FRAMEWORK_NAMES[framework]} has it.`,
    ...differences(framework, mapped).map(each => `Differs: ${each}`),
  ];
  const body = WRITERS[framework](identifier(name), mapped.layers);
  return { language, text: `${head.map(line => `${comment} ${line}`).join('\n')}\n${body}` };
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
      if (to === 'torch' && layer.type === 'lstm')
        found.add('PyTorch starts with a forget bias near 0; Keras with 1.');
    }
    if (isRecurrent(layer)) {
      if (to === 'torch') found.add('PyTorch has two biases for each gate, so it counts more parameters.');
      else if (convention === 'pytorch')
        found.add(`${FRAMEWORK_NAMES[to]} has one bias for each gate, so it counts fewer parameters.`);
    }
  }
  return [...found];
}

function isRecurrent(layer: Mapped['layers'][number]): layer is RecurrentLayer & typeof layer {
  return layer.type === 'rnn' || layer.type === 'gru' || layer.type === 'lstm';
}

function identifier(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_]/g, '');
  const word = /^[A-Za-z_]/.test(plain) ? plain : `Model${plain}`;
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
