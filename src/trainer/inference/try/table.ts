// The values or classes of one sequence of numbers.
import { basename } from 'node:path';
import { padded } from '../../tasks/classify.ts';
import { likeliest } from '../../tasks/stepping.ts';
import { inputsWith, type TableArtifact, valuesAt } from '../../tasks/table.ts';
import { type Example, readExamples } from '../../tasks/table-data.ts';
import { answersOf } from '../../tasks/values.ts';
import { look } from './look.ts';
import { NOTHING, numbersText, percent, rowOf, type Tryer, typedNumbers } from './tryer.ts';

export const tryTable: Tryer<TableArtifact> = async (model, artifact, given, context) => {
  const { inputs, classes, targets, predict, at, columns } = artifact;
  const names = inputs.map(({ name }) => name);
  let example: Pick<Example, 'inputs' | 'targets'>;
  let rows: number | null = null;
  if (given.row === undefined) example = { inputs: typedNumbers(given, names), targets: null };
  else {
    const path = context.dataFile();
    const read = await readExamples(path, {
      path: basename(path),
      ...columns,
      predict,
      at,
      onError: 'stop',
    });
    example = rowOf(read.examples, given.row, 'sequence');
    rows = read.examples.length;
  }
  const values = inputsWith(artifact)(example as Example);
  const width = names.length;
  const steps = values.length / width;
  const batch = { ...padded([values], width), targets: new Float32Array(0), continues: false };
  const everyStep = at === 'step';
  const said = answersOf(model, batch, everyStep ? 'every-step' : 'last-step');
  const { states } = look(model, batch, context.run, { steps: [] });
  const common = {
    ...NOTHING,
    input: `${steps.toLocaleString('en-US')} steps of ${width}: ${numbersText(example.inputs)}`,
    row: given.row ?? null,
    rows,
    states,
  };
  if (predict === 'classes') {
    const of = (step: number) =>
      likeliest(said.subarray(step * classes.length, (step + 1) * classes.length)).map(
        ({ id, probability }) => ({ label: classes[id]!, probability }),
      );
    const truth = example.targets as string[] | null;
    if (!everyStep)
      return { ...common, answer: of(0)[0]!.label, truth: truth?.[0] ?? null, of: 'class', likely: of(0) };
    return {
      ...common,
      table: {
        columns: ['step', 'class', 'probability', ...(truth ? ['truth'] : [])],
        rows: Array.from({ length: steps }, (_, step) => [
          String(step + 1),
          of(step)[0]!.label,
          percent(of(step)[0]!.probability),
          ...(truth ? [truth[step]!] : []),
        ]),
      },
    };
  }
  const truth = example.targets as Float64Array | null;
  return {
    ...common,
    table: {
      columns: ['step', 'target', 'value', ...(truth ? ['truth'] : [])],
      rows: Array.from({ length: everyStep ? steps : 1 }, (_, step) =>
        valuesAt(said, step, artifact).map((value, column) => [
          everyStep ? String(step + 1) : 'last',
          targets[column]!.name,
          value.toPrecision(5),
          ...(truth ? [truth[step * targets.length + column]!.toPrecision(5)] : []),
        ]),
      ).flat(),
    },
  };
};
