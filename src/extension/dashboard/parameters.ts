// What the cells cost at equal units and at equal parameters, for the first recurrent layer of a run.
import {
  biasesPerGate,
  countRecurrent,
  firstRecurrent,
  type LayerCount,
  type RecurrentShape,
  resetsAfter,
  shapeOf,
  unitsForEqualParameters,
} from '../../experiment/parameters.ts';
import { CELLS, type CellName, type Convention, type Experiment } from '../../experiment/schema.ts';
import { count } from '../../experiment/words.ts';
import type { ParametersView, ParameterView } from '../../protocol/messages.ts';

const CONVENTION_NAMES: Readonly<Record<Convention, string>> = {
  pytorch: 'PyTorch',
  keras: 'Keras',
  tfjs: 'tfjs',
};

/** `counted`: of a run that has started; without it only what the experiment alone tells. */
export function parametersView(
  experiment: Experiment,
  counted: { total: number; layers: LayerCount[] } | null,
): ParametersView | null {
  const first = firstRecurrent(experiment) ?? firstCounted(experiment, counted);
  if (!first) return null;
  const { convention } = experiment.model;
  const { layer, inputSize } = first;
  const shape = shapeOf(layer, inputSize, convention);
  const equalUnits = CELLS.map(cell => viewOf({ ...shape, cell }));
  const budget = Math.max(...equalUnits.map(({ total }) => total));
  return {
    convention: CONVENTION_NAMES[convention],
    note: noteOf(convention, shape, first.index, counted?.layers ?? []),
    layer: `layers.${first.index}`,
    equalUnits,
    equalParameters: CELLS.map(cell =>
      viewOf({ ...shape, cell, units: unitsForEqualParameters({ ...shape, cell }, budget) }),
    ),
    layers: counted?.layers ?? [],
    total: counted?.total ?? 0,
  };
}

function viewOf(shape: RecurrentShape): ParameterView {
  const { total, input, recurrent, bias, formula } = countRecurrent(shape);
  const oneBias = countRecurrent({ ...shape, convention: 'tfjs', resetAfter: false }).total;
  return { cell: shape.cell, units: shape.units, total, input, recurrent, bias, formula, oneBias };
}

/** The width of the input, solved from the layer's count: it is linear in it. */
function firstCounted(experiment: Experiment, counted: { layers: LayerCount[] } | null) {
  const { layers, convention } = experiment.model;
  const index = layers.findIndex(({ type }) => (CELLS as readonly string[]).includes(type));
  const layer = layers[index];
  const known = counted?.layers[index];
  if (!known || !layer || !('recurrentInit' in layer)) return null;
  const countAt = (inputSize: number) => countRecurrent(shapeOf(layer, inputSize, convention)).total;
  const inputSize = (known.count - countAt(0)) / (countAt(1) - countAt(0));
  return Number.isInteger(inputSize) && inputSize > 0 ? { index, layer, inputSize } : null;
}

function noteOf(convention: Convention, shape: RecurrentShape, index: number, layers: LayerCount[]): string {
  const two = CELLS.filter((cell: CellName) => biasesPerGate(cell, convention, shape.resetAfter) === 2);
  const biases =
    two.length === 3 ? 'two biases' : two.length === 0 ? 'one bias' : 'one bias, GRU with reset after two';
  const reset = resetsAfter(convention, shape.resetAfter) ? 'after' : 'before';
  const others = layers
    .filter((layer, place) => place !== index && layer.count > 0)
    .map(({ type, count: parameters }) => `${type} ${count(parameters)}`);
  const further = others.length > 0 ? ` Beside this layer: ${others.join(', ')}.` : '';
  return `${CONVENTION_NAMES[convention]}: ${biases}, GRU resets ${reset} the product.${further}`;
}
