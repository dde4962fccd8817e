// Keras: dropout inside the recurrence, which the fused kernels of GPUs do not have.
import { removeArgument, replace } from './edits.ts';
import type { Rule } from './finding.ts';
import { nameOf, rangeOf } from './source.ts';

export const fusedKernel: Rule = source =>
  source.of('keras').flatMap(({ layer, call }) => {
    const { name, recurrent, options } = layer;
    const given = call.named.get('recurrent_dropout');
    const rate = options.get('recurrent_dropout')?.value;
    // SimpleRNN and cells have no fused kernel to lose
    if (!given || (name !== 'LSTM' && name !== 'GRU') || recurrent?.isCell) return [];
    if (typeof rate !== 'number' || rate <= 0) return [];
    const asDropout = given.node.text.replace('recurrent_dropout', 'dropout');
    return {
      id: 'keras-recurrent-dropout',
      severity: 'information',
      message: `recurrent_dropout of ${rate} keeps this ${nameOf(layer)} from the fused cuDNN kernel, so that on a GPU it runs step by step.`,
      range: rangeOf(given.node),
      fixes: [
        { title: 'Remove recurrent_dropout', edits: [removeArgument(source, given.node)] },
        ...(options.get('dropout')?.text || !layer.isWhole
          ? []
          : [
              { title: `Drop inputs instead: ${asDropout}`, edits: [replace(source, given.node, asDropout)] },
            ]),
      ],
    };
  });
