// The parameter counts that a lens shows before any run. Loaded late: it brings the schema with it.
import { countRecurrent, firstRecurrent, shapeOf } from '../../experiment/parameters.ts';
import type { CellName, Convention, Experiment } from '../../experiment/schema.ts';
import { isRecurrent } from '../../experiment/schema.ts';
import { cellName } from '../cells.ts';
import { percentage, plural } from '../text.ts';

export const CONVENTIONS: Readonly<Record<Convention, string>> = {
  pytorch: 'PyTorch',
  keras: 'Keras',
  tfjs: 'tfjs',
};

/** `LSTM 82,944 · GRU 62,208 (−25 %, PyTorch count)`: the model's cell, then its natural rival, at equal units. */
export function countsText(experiment: Experiment): string {
  const first = firstRecurrent(experiment);
  const { convention } = experiment.model;
  if (!first) {
    const layer = experiment.model.layers.find(isRecurrent);
    return layer ? `${cellName(layer.type)}, ${plural(layer.units, 'unit')}` : '';
  }
  const { layer, inputSize } = first;
  const shape = shapeOf(layer, inputSize, convention);
  const own = countRecurrent(shape).total;
  const rival: CellName = layer.type === 'lstm' ? 'gru' : 'lstm';
  const other = countRecurrent({ ...shape, cell: rival }).total;
  const amount = (value: number) => value.toLocaleString('en-US');
  return (
    `${cellName(layer.type)} ${amount(own)} · ${cellName(rival)} ${amount(other)} ` +
    `(${percentage(other, own)}, ${CONVENTIONS[convention]} count)`
  );
}
