// What follows a window of rows: the last of the run's file, those before a row, or rows that are typed as CSV.
import { aheadOf } from '../../../experiment/tasks/forecast.ts';
import { answerShape, type ForecastArtifact, levelsOf, pathOf } from '../../tasks/forecast-artifact.ts';
import { levelPaths, pathsOf } from '../../tasks/forecast-paths.ts';
import { windowsOf } from '../../tasks/series-data.ts';
import { answersOf } from '../../tasks/values.ts';
import { InputError } from '../../training/prepare.ts';
import { readSeries } from '../predict/forecast.ts';
import { look } from './look.ts';
import { NOTHING, type Tryer, typed } from './tryer.ts';

export const tryForecast: Tryer<ForecastArtifact> = async (model, artifact, given, context) => {
  const { window, horizon, difference, quantiles } = artifact;
  const isTyped = given.text !== undefined;
  const path = isTyped ? context.write('rows.csv', typed(given, 'rows as CSV')) : context.dataFile();
  const { series, history, isTold, notes } = await readSeries(path, artifact);
  const { targets, numbers, firstRow } = series;
  const first = firstRow + window;
  // what is read ahead of a window ends with the rows that are told
  const last = isTold ? history : history - horizon;
  const at = given.row ?? last;
  if (at < first || at > last)
    throw new InputError(`A window of ${window} rows ends at a row from ${first} to ${last}, not at ${at}.`);
  const batch = {
    seqLen: window,
    batch: 1,
    input: windowsOf(series, [at], window),
    targets: new Float32Array(0),
    lengths: null,
    continues: false,
  };
  const [paths] = levelPaths(pathsOf(model, series, [at], artifact), [at], series, artifact);
  const said = answersOf(model, batch);
  // a path that reads its own predictions follows one of the quantiles
  const shown = aheadOf(artifact) < horizon ? [] : quantiles;
  const columns = targets.flatMap(({ name, level, wanted, scale }, target) => {
    const quantile = (place: number) => {
      const own = pathOf(said, 0, answerShape(artifact), target, place);
      return levelsOf(own, at, row => level.get(row), scale, difference);
    };
    const truth = Array.from({ length: horizon }, (_, k) =>
      at + k < history && !Number.isNaN(wanted.get(at + k)) ? level.get(at + k).toPrecision(6) : '',
    );
    return [
      { title: name, cells: paths![target]!.map(numberText) },
      ...shown.map((q, place) => ({
        title: `${name}, quantile ${q}`,
        cells: quantile(place).map(numberText),
      })),
      ...(truth.some(cell => cell !== '') ? [{ title: `${name}, truth`, cells: truth }] : []),
    ];
  });
  const steps = Array.from({ length: window }, (_, t) => String(numbers.get(at - window + t)));
  const { states } = look(model, batch, context.run, { steps });
  return {
    ...NOTHING,
    input: `${targets.map(({ name }) => name).join(', ')}: rows ${steps[0]} to ${steps.at(-1)}`,
    table: {
      columns: ['rows ahead', ...columns.map(({ title }) => title)],
      rows: Array.from({ length: horizon }, (_, k) => [
        String(k + 1),
        ...columns.map(({ cells }) => cells[k]!),
      ]),
    },
    states,
    row: isTyped ? null : at,
    rows: isTyped ? null : last,
    notes,
  };
};

function numberText(value: number): string {
  return value.toPrecision(6);
}
