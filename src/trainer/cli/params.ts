// unroll params: parameters of the model's cell beside the classic ones, at equal units and at equal parameters, and of
// each layer.
import process from 'node:process';
import { withCell } from '../../experiment/compare.ts';
import { CONVENTION_NOTES } from '../../experiment/convention.ts';
import { CLASSIC_CELLS } from '../../experiment/layers/index.ts';
import { firstCell, type PlacedLayer } from '../../experiment/models.ts';
import { comparedTypes, countAs, countModel, equalUnits } from '../../experiment/parameters.ts';
import { multiplyAdds, predictMemory } from '../../experiment/resources.ts';
import type { Experiment } from '../../experiment/schema.ts';
import type { ModelSizes } from '../../experiment/sizes.ts';
import { count, formatBytes, plural } from '../../experiment/words.ts';
import { type Command, JSON_OPTION, WORKSPACE_OPTIONS } from './command.ts';
import { describeData } from './data-facts.ts';
import { EXIT } from './exit.ts';
import { readExperimentFile, requireExperiment, withAssignments } from './experiment-file.ts';
import { bold, screenOf, table, wrap } from './terminal.ts';
import { placeOf } from './workspace.ts';

export const command: Command = {
  name: 'params',
  operands: 'FILE',
  count: [1, 1],
  summary: 'Count the parameters of the model with each cell, with formula and convention.',
  options: {
    set: { value: 'path=value', multiple: true, help: 'Change a field, such as model.convention=keras.' },
    ...WORKSPACE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    'unroll params samples/emma.rnn.json',
    'unroll params samples/emma.rnn.json --set model.convention=keras',
  ],
  async run(args) {
    const [file] = args.positionals as [string];
    const experiment = withAssignments(requireExperiment(readExperimentFile(file)), args.texts('set'));
    const place = placeOf(file, { workspace: args.text('workspace'), allowPaths: args.texts('allow-path') });
    const { sizes, maxTokens } = await describeData(experiment, place);
    const facts = countAll(experiment, sizes, maxTokens);
    process.stdout.write(args.flag('json') ? `${JSON.stringify(facts)}\n` : describe(facts));
    return EXIT.done;
  },
};

function countAll(experiment: Experiment, sizes: ModelSizes, maxTokens: number | undefined) {
  const { convention } = experiment.model;
  const first = firstCell(experiment, sizes);
  const model = countModel(experiment, sizes);
  return {
    kind: 'params' as const,
    name: experiment.name ?? null,
    convention,
    note: CONVENTION_NOTES[convention],
    layer: first?.name ?? null,
    inputSize: first?.at.inputs ?? null,
    cells: first ? countCells(experiment, sizes, first) : [],
    layers: model.layers,
    total: model.total,
    memory: predictMemory(experiment, sizes, maxTokens),
    multiplyAdds: multiplyAdds(experiment, sizes),
  };
}

/** The first cell and the classic ones in its place; weights are told apart where a cell is made of blocks. */
function countCells(experiment: Experiment, sizes: ModelSizes, first: PlacedLayer) {
  const types = comparedTypes(first.layer.type);
  const counts = types.map(type => countAs(first, type));
  const largest = Math.max(...counts.map(each => each.count));
  return counts.map(({ type, title, units, count: total, formula, parts }) => {
    const equal = equalUnits(first, type, largest);
    const { count: equalTotal, formula: equalFormula } = countAs(first, type, equal ?? undefined);
    return {
      cell: type,
      title,
      units,
      total,
      ...(parts ?? { input: null, recurrent: null, bias: null }),
      formula,
      model: countModel(withCell(experiment, type), sizes).total,
      equalParameters: { units: equal, total: equalTotal, formula: equalFormula },
    };
  });
}

function describe(facts: ReturnType<typeof countAll>): string {
  const screen = screenOf();
  const fitted = (text: string) => wrap(text, screen.textColumns);
  const layers = [
    ['layer', 'type', 'parameters', 'formula'],
    ...facts.layers.map(({ name, type, count: total, formula }) => [name, type, count(total), formula]),
    ['', 'total', count(facts.total), ''],
  ];
  return `${[
    fitted(`${bold(screen, facts.name ?? 'experiment')} · ${facts.note}`),
    '',
    ...cellTables(facts, screen),
    bold(screen, 'this model'),
    table(layers, 'llrl', screen.textColumns),
    '',
    fitted(
      `One training step: ${plural(facts.multiplyAdds.step, 'multiply-add')}, about ${formatBytes(facts.memory.bytes)} of memory.`,
    ),
  ].join('\n')}\n`;
}

/** Nothing for a model in which no layer reads across steps. */
function cellTables(facts: ReturnType<typeof countAll>, screen: ReturnType<typeof screenOf>): string[] {
  if (facts.layer === null) return [];
  const { total: reference, title: referenceTitle } = facts.cells[CLASSIC_CELLS.length - 1]!;
  const share = (total: number) =>
    total === reference
      ? ''
      : `${total > reference ? '+' : '−'}${Math.abs((100 * (total - reference)) / reference).toFixed(1)} %`;
  const shown = (value: number | null) => (value === null ? '' : count(value));
  const cells = [
    ['cell', 'units', 'parameters', `of ${referenceTitle}`, 'input', 'recurrent', 'bias', 'model', 'formula'],
    ...facts.cells.map(({ title, units, total, input, recurrent, bias, model, formula }) => [
      title,
      units === null ? '' : String(units),
      count(total),
      share(total),
      shown(input),
      shown(recurrent),
      shown(bias),
      count(model),
      formula,
    ]),
  ];
  const equal = [
    ['cell', 'units', 'parameters', 'formula'],
    ...facts.cells.map(({ title, equalParameters: { units, total, formula } }) => [
      title,
      units === null ? '' : String(units),
      count(total),
      formula,
    ]),
  ];
  const heading = `${facts.layer} at equal units, ${plural(facts.inputSize!, 'input')}`;
  return [
    wrap(bold(screen, heading), screen.textColumns),
    table(cells, 'lrrrrrrrl', screen.textColumns),
    '',
    wrap(
      bold(screen, 'at equal parameters: the most units that stay within the largest'),
      screen.textColumns,
    ),
    table(equal, 'lrrl', screen.textColumns),
    '',
  ];
}
