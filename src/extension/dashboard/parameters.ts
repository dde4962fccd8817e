// What the model costs: its first cell beside those that everyone knows, at equal units and at equal parameters, and
// each layer.
import { CONVENTION_NOTES } from '../../experiment/convention.ts';
import type { LayerType } from '../../experiment/layers/index.ts';
import { firstCell, knownSizes, type PlacedLayer, UNREAD } from '../../experiment/models.ts';
import { comparedTypes, countAs, countModel, equalUnits } from '../../experiment/parameters.ts';
import type { Experiment } from '../../experiment/schema.ts';
import { switchCell } from '../../experiment/switch-cell.ts';
import { count } from '../../experiment/words.ts';
import type { ParametersView, ParameterView } from '../../protocol/messages.ts';
import type { LayerCount, RunFile } from '../../runs/format.ts';
import { cellView } from '../cells.ts';

/** `run`: of one that has started; without it only what the experiment alone tells. null: it tells nothing. */
export function parametersView(
  experiment: Experiment,
  run: { parameters: RunFile['parameters']; task?: Pick<RunFile['task'], 'sizes'> } | null,
): ParametersView | null {
  const sizes = run?.task?.sizes ?? knownSizes(experiment);
  const counted = run?.parameters ?? (sizes && countModel(experiment, sizes));
  const first = sized(firstCell(experiment, sizes ?? UNREAD), counted?.layers ?? []);
  if (!first && !counted) return null;
  return {
    convention: experiment.model.convention,
    note: noteOf(experiment, first, counted?.layers ?? []),
    layer: first?.name ?? null,
    ...compared(first),
    layers: counted?.layers ?? [],
    total: counted?.total ?? 0,
  };
}

function compared(first: PlacedLayer | null): Pick<ParametersView, 'equalUnits' | 'equalParameters'> {
  if (!first) return { equalUnits: [], equalParameters: [] };
  const types = comparedTypes(first.layer.type);
  const views = types.map(type => viewOf(first, type));
  const budget = Math.max(...views.map(({ total }) => total));
  return {
    equalUnits: views,
    equalParameters: types.map(type => viewOf(first, type, equalUnits(first, type, budget) ?? undefined)),
  };
}

function viewOf(first: PlacedLayer, type: LayerType, units?: number): ParameterView {
  const counted = countAs(first, type, units);
  const textbook = { layer: first.layer, at: { ...first.at, convention: 'tfjs' } } as const;
  return {
    cell: cellView(switchCell(first.layer, type, first.at.inputs)),
    units: counted.units,
    total: counted.count,
    parts: counted.parts ?? null,
    formula: counted.formula,
    oneBias: countAs(textbook, type, units).count,
  };
}

/**
 * The cell with the width of its input. Where the experiment does not tell it, as in folders of version 0.1.0, it is
 * solved from the layer's count, which is linear in it. null: not known.
 */
function sized(first: PlacedLayer | null, counted: readonly LayerCount[]): PlacedLayer | null {
  if (!first || !Number.isNaN(first.at.inputs)) return first;
  const known = counted.find(({ name }) => name === first.name);
  if (!known) return null;
  const withInputs = (inputs: number) => ({ ...first, at: { ...first.at, inputs } });
  const countAt = (inputs: number) => first.kind.parameters(first.layer, withInputs(inputs).at).count;
  const inputs = (known.count - countAt(0)) / (countAt(1) - countAt(0));
  return Number.isInteger(inputs) && inputs > 0 && countAt(inputs) === known.count
    ? withInputs(inputs)
    : null;
}

function noteOf({ model }: Experiment, first: PlacedLayer | null, layers: readonly LayerCount[]): string {
  const others = layers
    .filter(layer => layer.name !== first?.name && layer.count > 0)
    .map(({ type, count: parameters }) => `${type} ${count(parameters)}`);
  const beside = first && others.length > 0 ? ` Beside this layer: ${others.join(', ')}.` : '';
  return `${CONVENTION_NOTES[model.convention]}.${beside}`;
}
