// unroll params: parameters of RNN, GRU and LSTM at equal units and at equal parameters, and of each layer.
import process from 'node:process';
import { withCell } from '../../experiment/compare.ts';
import {
  countModel,
  countRecurrent,
  firstRecurrent,
  type ModelSizes,
  shapeOf,
  unitsForEqualParameters,
} from '../../experiment/parameters.ts';
import { multiplyAdds, predictMemory } from '../../experiment/resources.ts';
import { CELLS, type Convention, type Experiment } from '../../experiment/schema.ts';
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
    const { sizes } = await describeData(experiment, place);
    const facts = countAll(experiment, sizes);
    process.stdout.write(args.flag('json') ? `${JSON.stringify(facts)}\n` : describe(facts));
    return EXIT.done;
  },
};

const NOTES: Readonly<Record<Convention, string>> = {
  pytorch: 'PyTorch: two bias vectors per gate (b_ih and b_hh)',
  keras: 'Keras: one bias vector per gate, two for a GRU with reset_after (its default)',
  tfjs: 'tfjs and textbooks: one bias vector per gate',
};

function countAll(experiment: Experiment, sizes: ModelSizes) {
  const { convention } = experiment.model;
  const first = firstRecurrent(experiment, sizes)!;
  const shape = shapeOf(first.layer, first.inputSize, convention);
  const largest = Math.max(...CELLS.map(cell => countRecurrent({ ...shape, cell }).total));
  const cells = CELLS.map(cell => {
    const equal = unitsForEqualParameters({ ...shape, cell }, largest);
    return {
      cell,
      units: shape.units,
      ...countRecurrent({ ...shape, cell }),
      model: countModel(withCell(experiment, cell), sizes).total,
      equalParameters: { units: equal, ...countRecurrent({ ...shape, cell, units: equal }) },
    };
  });
  const model = countModel(experiment, sizes);
  return {
    kind: 'params' as const,
    name: experiment.name ?? null,
    convention,
    note: NOTES[convention],
    layer: `layers.${first.index}`,
    inputSize: first.inputSize,
    cells,
    layers: model.layers,
    total: model.total,
    memory: predictMemory(experiment, sizes),
    multiplyAdds: multiplyAdds(experiment, sizes),
  };
}

function describe(facts: ReturnType<typeof countAll>): string {
  const screen = screenOf();
  const lstm = facts.cells.find(({ cell }) => cell === 'lstm')!.total;
  const share = (total: number) =>
    total === lstm
      ? ''
      : `${total > lstm ? '+' : '−'}${Math.abs((100 * (total - lstm)) / lstm).toFixed(1)} %`;
  const cells = [
    ['cell', 'units', 'parameters', 'of LSTM', 'input', 'recurrent', 'bias', 'model', 'formula'],
    ...facts.cells.map(({ cell, units, total, input, recurrent, bias, model, formula }) => [
      cell.toUpperCase(),
      String(units),
      count(total),
      share(total),
      count(input),
      count(recurrent),
      count(bias),
      count(model),
      formula,
    ]),
  ];
  const equal = [
    ['cell', 'units', 'parameters', 'formula'],
    ...facts.cells.map(({ cell, equalParameters: { units, total, formula } }) => [
      cell.toUpperCase(),
      String(units),
      count(total),
      formula,
    ]),
  ];
  const layers = [
    ['layer', 'type', 'parameters', 'formula'],
    ...facts.layers.map(({ name, type, count: total, formula }) => [name, type, count(total), formula]),
    ['', 'total', count(facts.total), ''],
  ];
  const fitted = (text: string) => wrap(text, screen.textColumns);
  return `${[
    fitted(`${bold(screen, facts.name ?? 'experiment')} · ${facts.note}`),
    '',
    fitted(bold(screen, `${facts.layer} at equal units, ${plural(facts.inputSize, 'input')}`)),
    table(cells, 'lrrrrrrrl', screen.textColumns),
    '',
    fitted(bold(screen, 'at equal parameters: the most units that stay within the largest')),
    table(equal, 'lrrl', screen.textColumns),
    '',
    bold(screen, 'this model'),
    table(layers, 'llrl', screen.textColumns),
    '',
    fitted(
      `One training step: ${plural(facts.multiplyAdds.step, 'multiply-add')}, about ${formatBytes(facts.memory.bytes)} of memory.`,
    ),
  ].join('\n')}\n`;
}
