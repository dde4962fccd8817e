// What the recurrent kinds share: fields, stacking, directions, and their counts by blocks of gates.
import * as z from 'zod';
import type { Convention } from '../convention.ts';
import { positiveInt, rate } from '../fields.ts';
import { warning } from '../remark.ts';
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

export interface RecurrentSizes {
  /** weight blocks: candidate and gates */
  blocks: number;
  inputSize: number;
  units: number;
  layers: number;
  directions: 1 | 2;
  /** per block: 2 where the input and the recurrent product have one each */
  biases: 1 | 2;
}

/** G·H·(D + H + B) for a level and direction; every level but the first reads the units of each direction. */
export function countBlocks(sizes: RecurrentSizes): Required<Count> {
  const { blocks: G, inputSize: D, units: H, layers, directions, biases } = sizes;
  const rows = directions * G * H;
  const input = rows * (D + (layers - 1) * directions * H);
  const recurrent = layers * rows * H;
  const bias = layers * rows * biases;
  return { count: input + recurrent + bias, formula: formulaOf(sizes), parts: { input, recurrent, bias } };
}

function formulaOf({
  blocks: G,
  inputSize: D,
  units: H,
  layers,
  directions,
  biases,
}: RecurrentSizes): string {
  const factors = `${directions > 1 ? '2·' : ''}${G > 1 ? `${G}·` : ''}`;
  const one = (inputs: number) => `${factors}${H}·(${inputs} + ${H} + ${biases})`;
  if (layers === 1) return one(D);
  const further = layers - 1;
  return `${one(D)} + ${further > 1 ? `${further}·` : ''}${one(directions * H)}`;
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
  about(layer: z.output<S>, convention: Convention): string;
}

/** The kind of a cell whose weights are blocks of gates over the input and the previous state. */
export function recurrentKind<S extends z.ZodObject<typeof recurrentFields>>(cell: Cell<S>): LayerKind<S> {
  const { schema, title, rival, classic, gates, keeps, keptPerUnit, statePerUnit, about } = cell;
  const blocks = Math.max(1, gates.length);
  // the fields that all recurrent schemas hold, which a generic S hides
  const fieldsOf = (layer: z.output<S>) => layer as unknown as RecurrentFields;
  const countOf = (layer: z.output<S>, inputs: number, convention: Convention) => {
    const { units, layers } = fieldsOf(layer);
    const directions = directionsOf(fieldsOf(layer));
    const biases = cell.biases(layer, convention);
    return countBlocks({ blocks, inputSize: inputs, units, layers, directions, biases });
  };
  return {
    schema,
    title,
    family: 'recurrent',
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
    width: layer => directionsOf(fieldsOf(layer)) * fieldsOf(layer).units,
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
      return layers * (directionsOf(fieldsOf(layer)) * (keptPerUnit + 2) * units + joined) + inputs;
    },
    multiplyAdds(layer, { inputs, steps }) {
      const { input, recurrent } = countOf(layer, inputs, 'tfjs').parts;
      return steps * (input + recurrent);
    },
    state(layer) {
      const { units, layers } = fieldsOf(layer);
      return directionsOf(fieldsOf(layer)) * layers * units * statePerUnit;
    },
    check(layer) {
      const { dropout, layers } = fieldsOf(layer);
      if (dropout === 0 || layers > 1) return [];
      return [
        warning(
          ['dropout'],
          'This dropout has no effect: it stands between stacked layers, and `layers` is 1; add { "type": "dropout", "rate": … } after this layer instead.',
        ),
      ];
    },
    about,
  };
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
