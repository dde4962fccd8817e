// The view of real run folders, as their writer makes them.
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerType } from '../../../src/experiment/layers/index.ts';
import { experimentSchema } from '../../../src/experiment/schema.ts';
import { cellOf } from '../../../src/extension/cells.ts';
import { DashboardModel, type ShownRun } from '../../../src/extension/dashboard/model.ts';
import { parametersView } from '../../../src/extension/dashboard/parameters.ts';
import { placesOf, subtitleOf, titleOf } from '../../../src/extension/dashboard/titles.ts';
import { createRun } from '../../../src/runs/create.ts';
import type { RunRequest } from '../../../src/runs/format.ts';
import { RunWriter } from '../../../src/runs/writer.ts';
import { experiment, requestOf, runFileOf, Scratch, scalars, sidecar } from '../runs/folder.ts';

function written(
  workspace: string,
  change: Partial<RunRequest> = {},
): { writer: RunWriter; shown: ShownRun } {
  const folder = createRun({ workspace }, { ...requestOf(workspace), ...change });
  const writer = RunWriter.open(folder);
  writer.writeRun(runFileOf(writer.request));
  const { request } = writer;
  return {
    writer,
    shown: { folder, id: request.id, name: request.name, request, state: 'training', heartbeatAge: 0 },
  };
}

async function modelOf(...runs: ShownRun[]): Promise<DashboardModel> {
  const model = new DashboardModel();
  model.setRuns(runs);
  await model.read();
  return model;
}

describe('the view of a run folder', () => {
  const scratch = new Scratch();
  const workspace = () => scratch.folder();
  afterEach(() => scratch.clean());

  it('shows a run that waits, before anything was written of it', async () => {
    const folder = createRun({ workspace: workspace() }, requestOf(workspace()));
    const request = { ...requestOf(workspace()), format: 1 as const, id: 'a', createdAt: '' };
    const model = await modelOf({
      folder,
      id: 'a',
      name: 'adding',
      request,
      state: 'queued',
      heartbeatAge: 0,
    });
    const { runs, title } = model.whole();
    assert.equal(title, 'adding');
    assert.equal(runs[0]?.state, 'queued');
    assert.equal(runs[0]?.steps, 100);
    assert.equal(runs[0]?.trainLoss.step.length, 0);
    assert.deepEqual(runs[0]?.series['time-map'], []);
    assert.equal(runs[0]?.cell?.type, 'gru');
  });

  it('sends everything once, and then only what is new', async () => {
    const { writer, shown } = written(workspace());
    writer.event(scalars(1, { trainLoss: 0.5 }));
    const series = writer.series('gradient-flow', sidecar);
    series.row(1, Float32Array.from([1, 2, 4, 0.001, 0.1, 1]));
    const model = await modelOf(shown);
    const [run] = model.whole().runs;
    assert.deepEqual([...run!.trainLoss.mean], [0.5]);
    assert.deepEqual(run!.series['time-map'][0]!.reach, [2, 1]);
    assert.equal(run!.engine, 'reference · 1 thread');
    assert.deepEqual(model.changes(), []);

    writer.event(scalars(2, { trainLoss: 0.4 }));
    await model.read();
    const [patch] = model.changes();
    assert.deepEqual(Object.keys(patch!).sort(), ['elapsed', 'id', 'trainLoss']);
    assert.deepEqual([...patch!.trainLoss!.step], [1, 2]);

    series.row(11, new Float32Array(6).fill(1));
    writer.status({ state: 'training', step: 11 });
    await model.read();
    const [next] = model.changes();
    assert.deepEqual([...next!.series!['time-map'][0]!.steps], [1, 11]);
    assert.equal(next!.step, 11);
    assert.equal(next!.trainLoss, undefined);
    writer.close();
  });

  it('tells samples, findings, checkpoints and the end', async () => {
    const { writer, shown } = written(workspace());
    const at = { step: 3, time: 1 };
    const pairs = { type: 'pairs' as const, rows: [{ input: '1 2', truth: '3', prediction: '2.9' }] };
    writer.event({ ...at, kind: 'sample', sample: pairs });
    writer.event({
      ...at,
      kind: 'finding',
      finding: {
        id: 'diverged',
        severity: 'error',
        message: 'NaN in h',
        layer: null,
        evidence: {},
        fixes: [],
      },
    });
    writer.event({ ...at, kind: 'checkpoint', best: true, valLoss: 0.1 });
    writer.event({
      ...at,
      kind: 'ended',
      reason: 'diverged',
      message: 'NaN',
      trainLoss: 'NaN',
      valLoss: null,
      seconds: 1,
    });
    const [run] = (await modelOf(shown)).whole().runs;
    assert.deepEqual(run!.samples, [{ step: 3, sample: pairs }]);
    assert.equal(run!.findings[0]?.message, 'NaN in h');
    assert.equal(run!.lastCheckpoint, 3);
    assert.equal(run!.end, 'diverged');
    writer.close();
  });

  it('gives finer points of a stretch, and says when a run is not shown', async () => {
    const { writer, shown } = written(workspace());
    for (let step = 1; step <= 50; step++) writer.event(scalars(step, { trainLoss: step }));
    const model = await modelOf(shown);
    model.whole();
    assert.deepEqual([...model.range(shown.id, 'trainLoss', 10, 12, 100).mean], [9, 10, 11, 12, 13]);
    assert.throws(() => model.range('other', 'trainLoss', 0, 1, 10), /not shown/);
    writer.close();
  });

  it('crosses as it is: plain data, and columns of their own size', async () => {
    const { writer, shown } = written(workspace());
    for (let step = 1; step <= 300; step++) writer.event(scalars(step, { trainLoss: 1 }));
    const [run] = (await modelOf(shown)).whole().runs;
    assert.deepEqual(structuredClone(run), run);
    for (const column of Object.values(run!.trainLoss))
      if (ArrayBuffer.isView(column)) assert.equal(column.buffer.byteLength, column.byteLength);
    writer.close();
  });

  it('keeps hostile text as text, and goes on after lines that are no events', async () => {
    const markup = '<img src=x onerror=alert(1)>\u202E';
    const { writer, shown } = written(workspace(), { name: markup });
    writer.event(scalars(1, { trainLoss: 2, [markup]: 3 }));
    writer.close();
    appendFileSync(join(shown.folder, 'events.jsonl'), '{"kind":"scalars","step":-1}\n[]\nnull\n');
    const model = await modelOf(shown);
    const { title, runs } = model.whole();
    assert.equal(title, markup);
    assert.deepEqual([...runs[0]!.trainLoss.mean], [2]);
    assert.ok(runs[0]!.problems.length > 0);
  });
});

describe('names on the dashboard', () => {
  const named = (
    cell: LayerType,
    label: string,
    group: string | null,
    name = 'emma',
    fields: object = { units: 128 },
  ) => ({
    name,
    request: {
      ...requestOf('/w'),
      format: 1 as const,
      id: `${name}${cell}${label}`,
      createdAt: '',
      group: group === null ? null : { id: group, index: 0, size: 3, label },
      experiment: experimentSchema.parse({
        ...experiment,
        model: { layers: [{ type: cell, ...fields }, { type: 'dense' }] },
      }),
    },
  });

  it('are those of the comparison', () => {
    const runs = [named('rnn', 'RNN', 'g'), named('gru', 'GRU', 'g'), named('lstm', 'LSTM', 'g')];
    assert.equal(titleOf(runs), 'emma');
    assert.equal(subtitleOf(runs), 'compare RNN · GRU · LSTM, 128 units');
    const grid = [named('rnn', 'RNN · batchSize 4', 'g'), named('lstm', 'LSTM · batchSize 4', 'g')];
    assert.equal(subtitleOf(grid), 'compare RNN batchSize 4 · LSTM batchSize 4, 128 units');
    assert.deepEqual(
      placesOf(runs).map(({ variant }) => variant),
      [0, 0, 0],
    );
  });

  it('tell runs of one cell apart', () => {
    const runs = [named('gru', 'GRU · seed 1', 'g'), named('gru', 'GRU · seed 2', 'g')];
    assert.deepEqual(placesOf(runs), [
      { label: 'GRU · seed 1', variant: 0, matrix: null },
      { label: 'GRU · seed 2', variant: 1, matrix: null },
    ]);
  });

  it('tell cells of one family apart, whose hue is the same, and give any kind its title', () => {
    const block = (label: string) => named('transformer', label, 'g', 'emma', {});
    const runs = [named('lstm', 'LSTM', 'g'), named('tcn', 'TCN', 'g'), block('one'), block('two')];
    assert.deepEqual(
      placesOf(runs).map(({ variant }) => variant),
      [0, 0, 0, 1],
    );
    assert.equal(subtitleOf([block('')]), 'Transformer');
    assert.deepEqual(
      runs.map(({ request }) => cellOf(request.experiment)?.hue),
      ['lstm', 'convolution', 'attention', 'attention'],
    );
  });

  it('name a model of several kinds by all of them', () => {
    const run = named('lstm', '', null);
    const of = (...layers: object[]) => {
      const experiment = experimentSchema.parse({
        data: { task: 'adding' },
        model: { layers: [...layers, { type: 'dense' }] },
      });
      return { ...run, request: { ...run.request, experiment } };
    };
    const conv = { type: 'conv1d', units: 8 };
    const gru = { type: 'gru', units: 8 };
    const two = of(conv, gru, gru);
    assert.equal(subtitleOf([two]), 'Conv1D → GRU, 8 units');
    assert.equal(placesOf([two])[0]!.label, 'Conv1D → GRU');
    assert.equal(cellOf(two.request.experiment)!.hasGates, true);
    const many = of(conv, { ...gru, units: 16 }, { type: 'lstm', units: 8 }, { type: 'min-gru', units: 8 });
    assert.equal(subtitleOf([many]), 'Conv1D → … → minGRU');
  });

  it('name runs of one name by what differs between them', () => {
    const of = (units: number, seed: number, id = `${units}-${seed}`) => {
      const run = named('lstm', '', null, 'vanish');
      const experiment = experimentSchema.parse({
        data: { task: 'adding' },
        model: { layers: [{ type: 'lstm', units }, { type: 'dense' }] },
        training: { seed },
      });
      return { ...run, request: { ...run.request, id, experiment } };
    };
    const labels = (...runs: ReturnType<typeof of>[]) => placesOf(runs).map(({ label }) => label);
    assert.deepEqual(labels(of(64, 1), of(96, 1)), ['vanish · 64 units', 'vanish · 96 units']);
    assert.deepEqual(labels(of(64, 1), of(64, 2)), ['vanish · seed 1', 'vanish · seed 2']);
    assert.deepEqual(labels(of(64, 1, 'a'), of(64, 1, 'b')), ['vanish', 'vanish'], 'nothing differs');
  });

  it('name a lone run by its cell, and runs of several comparisons by both', () => {
    assert.equal(placesOf([named('lstm', '', null)])[0]?.label, 'LSTM');
    const mixed = [named('lstm', 'LSTM', 'g', 'emma'), named('lstm', 'LSTM', 'h', 'co2')];
    assert.deepEqual(
      placesOf(mixed).map(({ label }) => label),
      ['emma', 'co2'],
    );
    assert.equal(titleOf([]), null);
  });
});

describe('parameters on the dashboard', () => {
  const emma = experimentSchema.parse({
    data: { task: 'char-lm', path: 'a.txt' },
    model: { layers: [{ type: 'embedding', dim: 32 }, { type: 'gru', units: 128 }, { type: 'dense' }] },
  });

  it('are those of the reference at equal units and at equal parameters', () => {
    const view = parametersView(emma, null)!;
    assert.deepEqual(
      view.equalUnits.map(({ total }) => total),
      [20_736, 62_208, 82_944],
    );
    assert.deepEqual(
      view.equalUnits.map(({ oneBias }) => oneBias),
      [20_608, 61_824, 82_432],
    );
    assert.deepEqual(
      view.equalParameters.map(({ units }) => units),
      [271, 150, 128],
    );
    assert.equal(view.equalUnits[1]?.formula, '3·128·(32 + 128 + 2)');
  });

  it('are those of each layer for a model without a recurrent layer, beside the known cells', () => {
    const view = parametersView(
      experimentSchema.parse({
        data: { task: 'adding' },
        model: {
          layers: [{ type: 'dense', units: 8 }, { type: 'transformer', heads: 2 }, { type: 'dense' }],
        },
      }),
      null,
    )!;
    // dense 2 → 8; a block of width 8: attention 4·8·8 + 4·8, two layer norms 4·8, 8 → 32 → 8; dense 8 → 1
    // learned positions of 100 steps before it
    const block = 4 * 8 * 8 + 4 * 8 + 4 * 8 + 2 * 8 * 32 + 32 + 8 + 100 * 8;
    assert.deepEqual(
      view.layers.map(({ count }) => count),
      [24, block, 9],
    );
    assert.equal(view.total, 24 + block + 9);
    assert.equal(view.layer, 'layers.1');
    const own = view.equalUnits.at(-1)!;
    assert.deepEqual([own.cell.title, own.total, own.parts], ['Transformer', block, null]);
    assert.deepEqual(
      view.equalUnits.map(({ cell }) => cell.title),
      ['RNN', 'GRU', 'LSTM', 'Transformer'],
    );
  });

  it('are those of each layer for a model in which none reads across steps', () => {
    const layers = [{ name: 'layers.0', type: 'dense', count: 77, formula: '(76 + 1)·1' }];
    const plain = { ...emma, model: { ...emma.model, layers: emma.model.layers.slice(2) } };
    const view = parametersView(plain, { parameters: { total: 77, layers } })!;
    assert.deepEqual([view.layer, view.equalUnits, view.layers, view.total], [null, [], layers, 77]);
  });

  it('find the width of one-hot input from the counted layer', () => {
    const oneHot = { ...emma, model: { ...emma.model, layers: emma.model.layers.slice(1) } };
    assert.equal(parametersView(oneHot, null), null);
    const count = 3 * 128 * (76 + 128 + 2);
    const layers = [{ name: 'layers.0', type: 'gru', count, formula: '' }];
    assert.equal(
      parametersView(oneHot, { parameters: { total: count, layers } })?.equalUnits[1]?.total,
      count,
    );
  });
});
