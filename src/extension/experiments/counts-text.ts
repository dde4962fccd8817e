// The parameter counts that a lens shows before any run. Loaded late: it brings the schema with it.
import type { Convention } from '../../experiment/convention.ts';
import { CLASSIC_CELLS, kindOf, type LayerType } from '../../experiment/layers/index.ts';
import { cellsTitle, firstCell, knownSizes } from '../../experiment/models.ts';
import { countAs, countModel } from '../../experiment/parameters.ts';
import type { Experiment } from '../../experiment/schema.ts';
import { percentage, plural } from '../text.ts';

export const CONVENTIONS: Readonly<Record<Convention, string>> = {
  pytorch: 'PyTorch',
  keras: 'Keras',
  tfjs: 'tfjs',
};

/** What is trained side by side, in the one order of all lists: "⇄ Compare RNN · GRU · LSTM". */
export function compareTitle(): string {
  return `⇄ Compare ${CLASSIC_CELLS.map(type => kindOf({ type }).title).join(' · ')}`;
}

/**
 * `LSTM 82,944 · GRU 62,208 (−25 %, PyTorch count)`: the model's cell, then its natural rival, at equal units. Of
 * several kinds of cells the whole: `Conv1D → GRU, 3,345 parameters (PyTorch count)`.
 */
export function countsText(experiment: Experiment): string {
  const first = firstCell(experiment);
  if (!first) return 'no layer reads across steps';
  const { layer, kind, at } = first;
  const own = kind.parameters(layer, at).count;
  if (Number.isNaN(own)) {
    const units = 'units' in layer ? layer.units : null;
    return units ? `${kind.title}, ${plural(units, 'unit')}` : kind.title;
  }
  const amount = (value: number) => value.toLocaleString('en-US');
  const title = cellsTitle(experiment);
  const sizes = knownSizes(experiment);
  if (sizes && title !== kind.title)
    return `${title}, ${amount(countModel(experiment, sizes).total)} parameters (${CONVENTIONS[experiment.model.convention]} count)`;
  const convention = `${CONVENTIONS[experiment.model.convention]} count`;
  if (!kind.rival) return `${kind.title} ${amount(own)} (${convention})`;
  const rival = countAs(first, kind.rival as LayerType);
  return (
    `${kind.title} ${amount(own)} · ${rival.title} ${amount(rival.count)} ` +
    `(${percentage(rival.count, own)}, ${convention})`
  );
}
