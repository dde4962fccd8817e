// What the hover over a layer says: its equations, its count with the reader's own numbers, beside other cells in every
// convention, and what it costs. Loaded late.
import type { Convention } from '../../experiment/convention.ts';
import type { LayerType } from '../../experiment/layers/index.ts';
import { knownSizes, type PlacedLayer, placeLayers, UNREAD } from '../../experiment/models.ts';
import { comparedTypes, countAs, equalUnits } from '../../experiment/parameters.ts';
import { layerCosts, trainingSeqLen } from '../../experiment/resources.ts';
import type { Experiment } from '../../experiment/schema.ts';
import type { ModelSizes } from '../../experiment/sizes.ts';
import { count, formatBytes } from '../text.ts';

/** Markdown of the layer at this index of `model.layers`; null for one that is not there. */
export function layerHover(experiment: Experiment, index: number, vocabulary: number | null): string | null {
  const sizes = knownSizes(experiment) ?? tokens(vocabulary);
  const placed = placeLayers(experiment, sizes ?? UNREAD).find(({ name }) => name === `layers.${index}`);
  if (!placed) return null;
  const { layer, kind, at } = placed;
  const parts = [heading(placed), equations(placed)];
  const counted = kind.parameters(layer, at);
  if (counted.count === 0) parts.push('No parameters.');
  else if (Number.isNaN(counted.count)) parts.push(openCount(counted.formula));
  else {
    const { parts: blocks } = counted;
    const told = blocks
      ? ` · input ${count(blocks.input)} + recurrent ${count(blocks.recurrent)} + bias ${count(blocks.bias)}`
      : ' parameters';
    const total = count(counted.count);
    parts.push(`\`${counted.formula === total ? total : `${counted.formula} = ${total}`}\`${told}`);
    if (kind.family !== 'plain') parts.push(cellTable(placed));
  }
  // widths that are not known would make figures of nothing
  if (kind.family !== 'plain' && !Number.isNaN(at.inputs) && !Number.isNaN(at.steps))
    parts.push('---', costs(experiment, sizes ?? UNREAD, placed));
  return parts.filter(Boolean).join('\n\n');
}

function tokens(vocabulary: number | null): ModelSizes | null {
  return vocabulary === null ? null : { input: { kind: 'tokens', vocabulary }, outputs: vocabulary };
}

function heading({ layer, kind, at }: PlacedLayer): string {
  const width = (value: number) => (Number.isNaN(value) ? 'V' : String(value));
  const levels = 'layers' in layer && layer.layers > 1 ? `, ${layer.layers} layers` : '';
  const both = 'bidirectional' in layer && layer.bidirectional ? ', both directions' : '';
  return `**${kind.title}** ${width(at.inputs)} → ${width(at.outputs)}${levels}${both} · (B, T, ${width(at.inputs)}) → (B, T, ${width(at.outputs)})`;
}

function equations({ layer, kind, at }: PlacedLayer): string {
  const about = kind.about?.(layer, at.convention, Number.isNaN(at.steps) ? undefined : at.steps);
  // in a fence without a language it would be coloured as JSON
  return about ? `\`\`\`text\n${about}\n\`\`\`` : '';
}

/** V stands for what the data tell. */
function openCount(formula: string): string {
  return `\`${formula.replaceAll('NaN', 'V')}\` parameters, V the vocabulary of the text.`;
}

/** All classic cells and the layer's own at equal units and, in the model's convention, at equal parameters. */
function cellTable(placed: PlacedLayer): string {
  const own = placed.layer.type;
  const largest = placed.kind.parameters(placed.layer, placed.at).count;
  const total = (type: LayerType, convention: Convention) =>
    count(countAs({ ...placed, at: { ...placed.at, convention } }, type).count);
  const rows = comparedTypes(own).map(type => {
    const { title, units } = countAs(placed, type);
    const same = type === own ? units : equalUnits(placed, type, largest);
    const cells = [
      title,
      total(type, 'pytorch'),
      total(type, 'keras'),
      total(type, 'tfjs'),
      same === null ? '' : `${count(same)} units`,
    ];
    return `| ${cells.map(text => (type === own && text ? `**${text}**` : text)).join(` | ${GAP}`)} |`;
  });
  const units = 'units' in placed.layer ? placed.layer.units : placed.at.inputs;
  return [
    `| at ${units} units | ${GAP}PyTorch | ${GAP}Keras | ${GAP}tfjs | ${GAP}same size |`,
    '| :-- | --: | --: | --: | --: |',
    ...rows,
  ].join('\n');
}

/** Columns of a hover have no space of their own. */
const GAP = '&nbsp;&nbsp;&nbsp;';

function costs(experiment: Experiment, sizes: ModelSizes, { name }: PlacedLayer): string {
  const { forward, kept } = layerCosts(experiment, sizes, name);
  const at = `at B = ${experiment.training.batchSize}, T = ${trainingSeqLen(experiment)}`;
  return `Forward ${short(forward)} multiply-adds, ${formatBytes(kept)} kept for the way back ${at}`;
}

/** 262144000 → "262 M". */
function short(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toPrecision(3)} G`;
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} M`;
  return count(value);
}
