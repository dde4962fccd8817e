// What the hover over a layer says: the formula with the reader's own numbers, in every convention. Loaded late.
import {
  countModel,
  countRecurrent,
  knownSizes,
  type ModelSizes,
  type RecurrentShape,
  shapeOf,
  unitsForEqualParameters,
  withWidths,
} from '../../experiment/parameters.ts';
import { multiplyAdds, predictMemory, trainingSeqLen } from '../../experiment/resources.ts';
import {
  CELLS,
  type CellName,
  directionsOf,
  type Experiment,
  isRecurrent,
  type Layer,
  type RecurrentLayer,
} from '../../experiment/schema.ts';
import { cellName } from '../cells.ts';
import { count, formatBytes } from '../text.ts';

/** Markdown of the layer at this index; null for one that has nothing to tell. */
export function layerHover(experiment: Experiment, index: number, vocabulary: number | null): string | null {
  const sizes = knownSizes(experiment) ?? tokens(vocabulary);
  const sized = withWidths(experiment.model.layers, sizes ?? tokens(1)!)[index];
  if (!sized) return null;
  const { layer, inputSize, outputSize } = sized;
  const isInputKnown = sizes !== null || experiment.model.layers.slice(0, index).some(gives);
  if (isRecurrent(layer)) {
    return isInputKnown
      ? [recurrentCard(experiment, layer, inputSize), costs(experiment, index, sizes)].join('\n\n---\n\n')
      : `**${cellName(layer.type)}** ${layer.units} units: its parameters are known once the text has been read.`;
  }
  if (layer.type === 'dropout') return `**Dropout** ${layer.rate}: no parameters; off in validation.`;
  const name = NAMES[layer.type];
  if (!sizes) {
    if (!isInputKnown && layer.type !== 'embedding')
      return `**${name}**: its parameters are known once the text has been read.`;
    const formula = openFormula(layer, inputSize);
    if (formula === null) return null;
    return `**${name}**: \`${formula}\` parameters, V the vocabulary of the text.`;
  }
  const counted = countModel(experiment, sizes).layers[index]!;
  return `**${name}** ${inputSize} → ${outputSize} · (B, T, ${outputSize})\n\n\`${counted.formula} = ${count(counted.count)}\` parameters`;
}

const NAMES = {
  embedding: 'Embedding',
  dense: 'Dense',
  'layer-norm': 'Layer norm',
  transformer: 'Transformer',
  tcn: 'TCN',
} as const;

/** With V for the vocabulary that is not known yet; null where the vocabulary is not in it. */
function openFormula(layer: Layer, inputSize: number): string | null {
  if (layer.type === 'embedding') return `V·${layer.dim}`;
  return layer.type === 'dense' ? `(${inputSize} + 1)·V` : null;
}

function tokens(vocabulary: number | null): ModelSizes | null {
  return vocabulary === null ? null : { input: { kind: 'tokens', vocabulary }, outputs: vocabulary };
}

function gives({ type }: { type: string }): boolean {
  return type === 'embedding' || type === 'rnn' || type === 'gru' || type === 'lstm' || type === 'tcn';
}

function recurrentCard({ model }: Experiment, layer: RecurrentLayer, inputSize: number): string {
  const shape = shapeOf(layer, inputSize, model.convention);
  const own = countRecurrent(shape);
  const stack = `${layer.layers > 1 ? `${layer.layers} layers` : 'one layer'}${layer.bidirectional ? ', both directions' : ''}`;
  const width = directionsOf(layer) * layer.units;
  const parts = [
    `**${cellName(layer.type)}** ${inputSize} → ${layer.units}, ${stack} · (B, T, ${inputSize}) → (B, T, ${width})`,
    `\`${own.formula} = ${count(own.total)}\` · input ${count(own.input)} + recurrent ${count(own.recurrent)} + bias ${count(own.bias)}`,
    table(shape, layer.units),
  ];
  if (layer.type === 'gru')
    parts.push(
      resets(layer, model.convention)
        ? 'This GRU resets *after* the recurrent product, as PyTorch and Keras do.'
        : 'This GRU resets *before* the recurrent product, as in Cho et al. 2014 and tfjs; its weights cannot be turned into PyTorch’s.',
    );
  return parts.join('\n\n');
}

function resets(layer: { resetAfter?: boolean | undefined }, convention: string): boolean {
  return layer.resetAfter ?? convention !== 'tfjs';
}

/** All cells at equal units and, in their own convention, at equal parameters. */
function table(shape: RecurrentShape, units: number): string {
  const largest = countRecurrent(shape).total;
  const total = (cell: CellName, convention: RecurrentShape['convention']) =>
    count(countRecurrent({ ...shape, cell, convention, resetAfter: undefined }).total);
  const rows = CELLS.map(cell => {
    const same = cell === shape.cell ? units : unitsForEqualParameters({ ...shape, cell }, largest);
    const mark = cell === 'gru' ? '\\*' : '';
    const cells = [
      cellName(cell),
      total(cell, 'pytorch'),
      total(cell, 'tfjs') + mark,
      `${count(same)} units`,
    ];
    return `| ${cells.map(text => bold(text, cell, shape.cell)).join(` | ${GAP}`)} |`;
  });
  return [
    `| at ${units} units | ${GAP}PyTorch (2 biases) | ${GAP}Keras, tfjs (1 bias) | ${GAP}same size |`,
    '| :-- | --: | --: | --: |',
    ...rows,
    '',
    `\\* reset before the product. Keras’ GRU with \`reset_after\`, its default: ${total('gru', 'keras')}.`,
  ].join('\n');
}

/** Columns of a hover have no space of their own. */
const GAP = '&nbsp;&nbsp;&nbsp;';

function bold(text: string, cell: CellName, own: CellName): string {
  return cell === own ? `**${text}**` : text;
}

function costs(experiment: Experiment, index: number, sizes: ModelSizes | null): string {
  const alone = sizes ?? tokens(1)!;
  const { batchSize } = experiment.training;
  const at = `at B = ${batchSize}, T = ${trainingSeqLen(experiment)}`;
  const layer = withWidths(experiment.model.layers, alone)[index]!;
  const only: Experiment = {
    ...experiment,
    data: { ...experiment.data },
    model: { ...experiment.model, layers: [layer.layer] },
  };
  const own: ModelSizes = {
    input: { kind: 'vectors', features: layer.inputSize },
    outputs: layer.outputSize,
  };
  const adds = multiplyAdds(only, own).forward * batchSize;
  const kept = predictMemory(only, own).parts.find(({ name }) => name === 'activations')?.bytes ?? 0;
  return `Forward ${short(adds)} multiply-adds, ${formatBytes(kept)} kept for the way back ${at}`;
}

/** 262144000 → "262 M". */
function short(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toPrecision(3)} G`;
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} M`;
  return count(value);
}
