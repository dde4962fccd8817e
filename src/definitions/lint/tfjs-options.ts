// TensorFlow.js: options that throw, and defaults that are not those of Keras.
import { addArguments, quoted, removeArgument, replace } from './edits.ts';
import type { Rule } from './finding.ts';
import { nameOf, rangeOf } from './source.ts';

/** Its GRU resets before the product only. */
export const resetAfter: Rule = source =>
  source.of('tfjs').flatMap(({ layer, call }) => {
    const given = call.named.get('resetAfter');
    if (!given || layer.recurrent?.cell !== 'GRU' || layer.options.get('resetAfter')?.value !== true)
      return [];
    return {
      id: 'tfjs-reset-after',
      severity: 'warning',
      message: `\`${given.node.text}\` throws: TensorFlow.js has only the GRU that resets before the matrix product, so weights of Keras's default GRU do not fit it.`,
      range: rangeOf(given.node),
      fixes: [
        { title: 'Remove resetAfter', edits: [removeArgument(source, given.node)] },
        ...(given.value.node.type === 'true'
          ? [{ title: 'Set resetAfter to false', edits: [replace(source, given.value.node, 'false')] }]
          : []),
      ],
    };
  });

export const lstmDefaults: Rule = source =>
  source.of('tfjs').flatMap(({ layer, call }) => {
    const isGiven = ['recurrentActivation', 'unitForgetBias'].some(name => layer.options.get(name)?.text);
    if (layer.recurrent?.cell !== 'LSTM' || !layer.isWhole || isGiven) return [];
    const edit = addArguments(source, call, [
      ['recurrentActivation', quoted(source, call, 'sigmoid')],
      ['unitForgetBias', 'true'],
    ]);
    return {
      id: 'tfjs-lstm-defaults',
      severity: 'hint',
      message: `TensorFlow.js's ${nameOf(layer)} is not Keras's by default: its gates take hardSigmoid in place of sigmoid, and its forget bias begins at 0 in place of 1 (unitForgetBias is not set).`,
      range: layer.range,
      fixes: edit ? [{ title: 'Take the defaults of Keras', edits: [edit] }] : [],
    };
  });
