// What theory says a layer can do, by the ability that a task asks for. Layers that are not named: nothing is said.
//
// tracking, of a state beyond the training length: cells whose next state is a nonlinear function of the last one can
// (H. Siegelmann, E. Sontag, 1995; M. Beck et al., 2024, https://arxiv.org/abs/2405.04517, on sLSTM); transitions with
// positive eigenvalues cannot (R. Grazzi et al., 2024, https://arxiv.org/abs/2411.12537), nor can diagonal ones and
// attention of fixed depth (W. Merrill, J. Petty, A. Sabharwal, 2024, https://arxiv.org/abs/2404.08819; M. Hahn, 2020,
// https://arxiv.org/abs/1906.06755), nor a finite receptive field.
// selection, of symbols by what they are: gates that read the input can; fixed transitions and convolutions cannot
// (A. Gu, T. Dao, 2023, https://arxiv.org/abs/2312.00752, section 3.1).
// recall, of a value by its key: attention and the delta rule can (S. Arora et al., 2023, https://arxiv.org/abs/2312.04927;
// S. Yang et al., 2024, https://arxiv.org/abs/2406.06484); a linear attention can up to as many pairs as its keys have
// numbers (I. Schlag et al., 2021, https://arxiv.org/abs/2102.11174).
// memory, over long delays: the gradient of a tanh cell vanishes (Y. Bengio, P. Simard, P. Frasconi, 1994); gates,
// recurrences with eigenvalues near 1, attention and dilated convolutions carry it.
export type Ability = 'tracking' | 'selection' | 'recall' | 'memory';

const CAN: Readonly<Record<Ability, readonly string[]>> = {
  tracking: ['rnn', 'lstm', 'gru', 's-lstm'],
  selection: ['lstm', 'gru', 's-lstm', 'min-gru', 'min-lstm', 'rg-lru', 'mamba', 'mamba2', 'gated-deltanet'],
  recall: ['transformer', 'deltanet', 'gated-deltanet', 'linear-attention'],
  memory: [
    'lstm',
    'gru',
    's-lstm',
    'min-gru',
    'min-lstm',
    'lru',
    's4d',
    's5',
    'rg-lru',
    'mamba',
    'tcn',
    'transformer',
  ],
};

const CANNOT: Readonly<Record<Ability, readonly string[]>> = {
  tracking: [
    ...['min-gru', 'min-lstm', 'sru', 'lru', 's4d', 's5', 'rg-lru', 'mamba', 'mamba2'],
    ...['linear-attention', 'retnet', 'gla', 'deltanet', 'gated-deltanet', 'm-lstm', 'transformer', 'tcn'],
  ],
  selection: ['lru', 's4d', 's5', 'tcn', 'wavenet'],
  recall: [],
  memory: ['rnn'],
};

/** null: theory says nothing that is known here. */
export function theorySays(
  layer: string,
  { needsAbility }: { needsAbility?: Ability | undefined },
): boolean | null {
  if (!needsAbility) return null;
  if (CAN[needsAbility].includes(layer)) return true;
  return CANNOT[needsAbility].includes(layer) ? false : null;
}
