// What the recurrent kinds share: fields, stacking, directions, and their counts by blocks of gates.
import * as z from 'zod';
import type { Convention } from '../convention.ts';
import { positiveInt, rate } from '../fields.ts';
import { type Remark, warning } from '../remark.ts';
import type { Count, LayerKind } from './kind.ts';

export const recurrentFields = {
  units: positiveInt.describe('Hidden units of each layer.'),
  layers: positiveInt.default(1).describe('How many of this layer are stacked.'),
  dropout: rate.default(0).describe('Share dropped between the stacked layers; none after the last of them.'),
  recurrentInit: z
    .enum([
      'default',
      'glorot-uniform',
      'glorot-normal',
      'he-uniform',
      'he-normal',
      'uniform',
      'orthogonal',
      'identity',
      'zeros',
    ])
    .default('default')
    .describe(
      "Initial recurrent weights; default: what the convention uses. `uniform` is PyTorch's ±1/√units; `identity` with ReLU is an IRNN (Le et al. 2015).",
    ),
  inputInit: z
    .enum(['glorot-uniform', 'glorot-normal', 'he-uniform', 'he-normal', 'uniform', 'orthogonal', 'zeros'])
    .optional()
    .describe(
      "Initial input weights (Glorot & Bengio 2010, He et al. 2015, Saxe et al. 2014; `uniform`: PyTorch's ±1/√units); default: what the convention uses.",
    ),
  bidirectional: z
    .boolean()
    .default(false)
    .describe(
      'Also read each sequence from its end to its start; outputs are twice as wide, forward half first (Schuster & Paliwal 1997).',
    ),
  initialState: z
    .enum(['zeros', 'learned', 'encoder'])
    .optional()
    .describe(
      "The state that each sequence begins in: zeros, weights that are learned, or the encoder's last state; default: the encoder's where there is one, else zeros.",
    ),
  bridge: z
    .enum(['dense'])
    .optional()
    .describe(
      "What the encoder's last state goes through where its width differs: tanh(W s + b), level by level.",
    ),
  merge: z
    .enum(['concat', 'sum', 'mean', 'product'])
    .optional()
    .describe(
      'How the outputs of both directions become one: side by side (concat, the default), or their sum, mean or product, which are as wide as one direction.',
    ),
  residual: z
    .boolean()
    .optional()
    .describe('Add the input of each stacked layer, from the second on, to its output (Wu et al. 2016).'),
  recurrentDropout: rate
    .optional()
    .describe(
      'Share of what a step adds to its memory that is dropped, drawn for each step; of an RNN, of the state it reads (Semeniuta et al. 2016).',
    ),
  variationalDropout: rate
    .optional()
    .describe(
      'Share of the inputs and of the previous state that is dropped: one mask for all steps of a sequence (Gal & Ghahramani 2016).',
    ),
  zoneout: rate
    .optional()
    .describe(
      'Probability that a unit keeps its previous state at a step; the expectation in validation (Krueger et al. 2016).',
    ),
  weightDrop: rate
    .optional()
    .describe(
      'Share of the recurrent weights that is dropped, the same at all steps of a training step (Merity et al. 2017).',
    ),
};

/** A field of cells whose gates keep their state. */
export const chrono = z
  .int()
  .min(3)
  .optional()
  .describe(
    'T_max, the longest dependency in steps: the gate biases begin so that units forget after 1 to T_max steps (Tallec & Ollivier 2018).',
  );

export type RecurrentFields = z.output<z.ZodObject<typeof recurrentFields>>;

/** 2 where a recurrent layer reads its sequences from both ends. */
export function directionsOf(layer: Pick<RecurrentFields, 'bidirectional'>): 1 | 2 {
  return layer.bidirectional ? 2 : 1;
}

/** Width of a recurrent layer whose directions give so many numbers each. */
export function mergedWidth(layer: Pick<RecurrentFields, 'bidirectional' | 'merge'>, each: number): number {
  return (layer.merge ?? 'concat') === 'concat' ? directionsOf(layer) * each : each;
}

export interface RecurrentSizes {
  /** weight blocks: candidate and gates */
  blocks: number;
  inputSize: number;
  units: number;
  layers: number;
  directions: 1 | 2;
  /** per block: 2 where the input and the recurrent product have one each */
  biases: 1 | 2;
  /** width of the state that the recurrent product reads, where a projection P·H makes it */
  projection: number | null;
  /** width of a level's output, which the next one reads */
  width: number;
  /** vectors of H beside the biases, of a level and direction: peepholes, norms */
  vectors: number;
}

/** G·H·(D + P + B) + P·H + V·H for a level and direction, P = H without a projection. */
export function countBlocks(sizes: RecurrentSizes): Required<Count> {
  const { blocks: G, inputSize: D, units: H, layers, directions, biases, projection, width, vectors } = sizes;
  const rows = directions * G * H;
  const input = rows * (D + (layers - 1) * width);
  const recurrent = layers * (rows * (projection ?? H) + directions * (projection ?? 0) * H);
  const bias = layers * (rows * biases + directions * vectors * H);
  return { count: input + recurrent + bias, formula: formulaOf(sizes), parts: { input, recurrent, bias } };
}

function formulaOf(sizes: RecurrentSizes): string {
  const { blocks: G, inputSize: D, units: H, layers, directions, biases, projection, width, vectors } = sizes;
  const both = directions > 1 ? '2·' : '';
  const one = (inputs: number) =>
    `${both}${G > 1 ? `${G}·` : ''}${H}·(${inputs} + ${projection ?? H} + ${biases})`;
  const further = layers - 1;
  const own = layers > 1 ? `${layers}·` : '';
  return [
    one(D),
    ...(further > 0 ? [`${further > 1 ? `${further}·` : ''}${one(width)}`] : []),
    ...(projection === null ? [] : [`${own}${both}${projection}·${H}`]),
    ...(vectors > 0 ? [`${own}${both}${vectors}·${H}`] : []),
  ].join(' + ');
}

interface Cell<S extends z.ZodObject> {
  schema: S;
  title: string;
  rival: string;
  classic?: boolean;
  gates: readonly string[];
  /** the gate whose value is memory */
  keeps: string | null;
  /** numbers of each (sequence, step) and unit that its kernel keeps besides output and gradient */
  keptPerUnit: number;
  /** numbers of each unit carried to the next step */
  statePerUnit: number;
  biases(layer: z.output<S>, convention: Convention): 1 | 2;
  /** what its fields make of its weights; left out: a block for each gate */
  weights?(layer: z.output<S>): Partial<Pick<RecurrentSizes, 'blocks' | 'projection' | 'vectors'>>;
  /** paths are relative to the layer */
  check?(layer: z.output<S>): Remark[];
  about(layer: z.output<S>, convention: Convention): string;
}

/** The kind of a cell whose weights are blocks of gates over the input and the previous state. */
export function recurrentKind<S extends z.ZodObject<typeof recurrentFields>>(cell: Cell<S>): LayerKind<S> {
  const { schema, title, rival, classic, gates, keeps, keptPerUnit, statePerUnit, about } = cell;
  // the fields that all recurrent schemas hold, which a generic S hides
  const fieldsOf = (layer: z.output<S>) => layer as unknown as RecurrentFields;
  const countOf = (layer: z.output<S>, inputs: number, convention: Convention) => {
    const { units, layers } = fieldsOf(layer);
    return countBlocks({
      blocks: Math.max(1, gates.length),
      inputSize: inputs,
      units,
      layers,
      directions: directionsOf(fieldsOf(layer)),
      biases: cell.biases(layer, convention),
      projection: null,
      width: widthOf(layer),
      vectors: 0,
      ...cell.weights?.(layer),
    });
  };
  const widthOf = (layer: z.output<S>) =>
    mergedWidth(fieldsOf(layer), cell.weights?.(layer).projection ?? fieldsOf(layer).units);
  return {
    schema,
    title,
    family: 'recurrent',
    innerResidual: true,
    classic,
    rival,
    widthField: 'units' as keyof z.output<S> & string,
    traits(layer) {
      const { bidirectional } = fieldsOf(layer);
      return {
        reads: 'vectors',
        sees: bidirectional ? 'all' : 'past',
        carries: !bidirectional,
        reach: Number.POSITIVE_INFINITY,
        recurrent: { gates, keeps },
      };
    },
    width: widthOf,
    hasCellState: statePerUnit > 1,
    lastState: layer => directionsOf(fieldsOf(layer)) * fieldsOf(layer).units,
    parameters(layer, { inputs, convention, begins }) {
      const counted = countOf(layer, inputs, convention);
      if (fieldsOf(layer).bridge && begins) return bridged(counted, fieldsOf(layer), begins, statePerUnit);
      if (fieldsOf(layer).initialState !== 'learned') return counted;
      const { units, layers } = fieldsOf(layer);
      const learned = directionsOf(fieldsOf(layer)) * layers * units * statePerUnit;
      return { ...counted, count: counted.count + learned, formula: `${counted.formula} + ${learned}` };
    },
    kept(layer, { inputs, outputs }) {
      const { units, layers, bidirectional } = fieldsOf(layer);
      // both directions' states once more, side by side
      const joined = bidirectional ? 2 * outputs : 0;
      const own = keptPerUnit + 2 + keptByFields(fieldsOf(layer), statePerUnit);
      return layers * (directionsOf(fieldsOf(layer)) * own * units + joined) + inputs;
    },
    multiplyAdds(layer, { inputs, steps }) {
      const { input, recurrent } = countOf(layer, inputs, 'tfjs').parts;
      return steps * (input + recurrent);
    },
    state(layer) {
      const { units, layers } = fieldsOf(layer);
      return directionsOf(fieldsOf(layer)) * layers * units * statePerUnit;
    },
    check: layer => [...checkFields(fieldsOf(layer)), ...(cell.check?.(layer) ?? [])],
    about: (layer, convention) => [about(layer, convention), ...fieldLines(fieldsOf(layer))].join('\n'),
  };
}

/** Numbers of each (sequence, step) and unit beside those of the plain cell: masks, and the states they change. */
function keptByFields(layer: RecurrentFields, statePerUnit: number): number {
  const zoned = layer.zoneout ? statePerUnit : 0;
  const dropped = layer.recurrentDropout ? 1 : 0;
  return zoned + dropped + (zoned + dropped > 0 || layer.variationalDropout ? 1 : 0);
}

function checkFields({ dropout, layers, bidirectional, merge, residual }: RecurrentFields): Remark[] {
  const remarks: Remark[] = [];
  if (dropout > 0 && layers === 1)
    remarks.push(
      warning(
        ['dropout'],
        'This dropout has no effect: it stands between stacked layers, and `layers` is 1; add { "type": "dropout", "rate": … } after this layer instead.',
      ),
    );
  if (merge && !bidirectional)
    remarks.push(
      warning(['merge'], '`merge` has no effect: this layer reads one way; add `"bidirectional": true`.'),
    );
  if (residual && layers === 1)
    remarks.push(
      warning(['residual'], '`residual` has no effect: it stands around stacked layers, and `layers` is 1.'),
    );
  return remarks;
}

const MERGED = { sum: 'forward + backward', mean: '(forward + backward) / 2', product: 'forward ⊙ backward' };

/** What the common fields add to a cell's equations; d drops, each number with the chance of its rate. */
function fieldLines(layer: RecurrentFields): string[] {
  const { merge, bidirectional, residual, recurrentDropout, variationalDropout, zoneout, weightDrop } = layer;
  const lines: string[] = [];
  if (bidirectional && merge && merge !== 'concat') lines.push(`y_t = ${MERGED[merge]}`);
  if (residual && layer.layers > 1) lines.push('x_t + y_t goes to the next of the stacked layers');
  if (recurrentDropout) lines.push(`d(${recurrentDropout}) of what a step adds (arXiv 1603.05118)`);
  if (variationalDropout)
    lines.push(`x_t ⊙ m_x and h_{t-1} ⊙ m_h, masks of ${variationalDropout} for all t (arXiv 1512.05287)`);
  if (zoneout) lines.push(`zoneout: a unit stays as it was with a chance of ${zoneout} (arXiv 1606.01305)`);
  if (weightDrop) lines.push(`U: ${weightDrop} of its weights dropped in training (arXiv 1708.02182)`);
  return lines;
}

/** A matrix and a bias for each part of the state, of each level that begins in one of the encoder's. */
function bridged(
  counted: Count,
  layer: RecurrentFields,
  begins: readonly (number | null)[],
  parts: number,
): Count {
  const width = directionsOf(layer) * layer.units;
  const widths = begins.filter(own => own !== null);
  const count = widths.reduce((sum, own) => sum + parts * width * (own + 1), counted.count);
  const formulas = widths.map(own => `${parts > 1 ? `${parts}·` : ''}${width}·(${own} + 1)`);
  return { ...counted, count, formula: [counted.formula, ...formulas].join(' + ') };
}

/** PyTorch has two biases in every cell. */
export function biasesOf(convention: Convention): 1 | 2 {
  return convention === 'pytorch' ? 2 : 1;
}
