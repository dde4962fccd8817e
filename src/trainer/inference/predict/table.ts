// What a trained model says of a file of arrays: a row for each sequence, or for each of its steps.
import { basename } from 'node:path';
import { plural } from '../../../experiment/words.ts';
import { DataError } from '../../data/errors.ts';
import type { Model } from '../../layers/model.ts';
import { padded } from '../../tasks/classify.ts';
import { inputsWith, type TableArtifact, valuesAt } from '../../tasks/table.ts';
import { readExamples } from '../../tasks/table-data.ts';
import { answersOf, best } from '../../tasks/values.ts';
import { longestFirst } from './batches.ts';
import type { Predicted, Row } from './predictor.ts';

const BATCH = 256;

export async function predictTable(model: Model, artifact: TableArtifact, path: string): Promise<Predicted> {
  const { predict, at, columns, classes, targets } = artifact;
  const everyStep = at === 'step';
  const isClasses = predict === 'classes';
  const name = basename(path);
  const { examples, inputWidths, bad } = await readExamples(
    path,
    { path: name, ...columns, predict, at, onError: 'stop' },
    { needsTargets: false },
  );
  const width = inputWidths.reduce((sum, each) => sum + each, 0);
  if (width !== artifact.inputs.length)
    throw new DataError(
      `${name} has ${plural(width, 'number')} a step in ${columns.inputs.map(each => `"${each}"`).join(', ')}; this run learned from ${artifact.inputs.length}.`,
    );
  const encode = inputsWith(artifact);
  const encoded = Array.from(examples, encode);
  const byExample: Row[][] = [];
  // a column for each number of a target that has several
  const of = targets.map(({ name: own }, index) => {
    const all = targets.filter(each => each.name === own);
    return all.length > 1 ? `${own}[${index - targets.findIndex(each => each.name === own)}]` : own;
  });
  let [right, squared, scored] = [0, 0, 0];
  for (const places of longestFirst(
    encoded.map(({ length }) => length / width),
    BATCH,
  )) {
    const batch = padded(
      places.map(place => encoded[place]!),
      width,
    );
    const said = answersOf(
      model,
      { ...batch, targets: new Float32Array(0), continues: false },
      everyStep ? 'every-step' : 'last-step',
    );
    places.forEach((place, row) => {
      const { line, targets: truth } = examples.at(place);
      const steps = everyStep ? encoded[place]!.length / width : 1;
      byExample[place] = Array.from({ length: steps }, (_, step): Row => {
        const where = step * batch.batch + row;
        const begin = { line, ...(everyStep ? { step: step + 1 } : {}) };
        if (isClasses) {
          const prediction = classes[best(said, where, classes.length)]!;
          const own = (truth as string[] | null)?.[step];
          if (own !== undefined) {
            scored++;
            if (own === prediction) right++;
          }
          return { ...begin, ...(own === undefined ? {} : { truth: own }), prediction };
        }
        const values = valuesAt(said, where, artifact);
        const cells: Record<string, number> = {};
        values.forEach((value, column) => {
          const own = (truth as Float64Array | null)?.[step * targets.length + column];
          if (own !== undefined) {
            cells[`truth ${of[column]}`] = own;
            squared += (value - own) ** 2;
            scored++;
          }
          cells[`prediction ${of[column]}`] = value;
        });
        return { ...begin, ...cells };
      });
    });
  }
  const rows = byExample.flat();
  const accuracy = isClasses && scored > 0 ? right / scored : null;
  const rmse = !isClasses && scored > 0 ? Math.sqrt(squared / scored) : null;
  return {
    columns: Object.keys(rows[0] ?? {}),
    rows,
    next: [],
    notes: bad.notes(),
    facts: { accuracy, rmse },
    summary:
      accuracy !== null
        ? `${plural(right, 'answer')} of ${scored.toLocaleString('en-US')} right: accuracy ${(100 * accuracy).toFixed(1)} %.`
        : rmse !== null
          ? `Root mean square error ${rmse.toPrecision(4)} over ${plural(scored, 'value')}.`
          : null,
  };
}
