// Folders of other versions: those of 0.1.0 open, train on and are used; what a newer writer says is kept or passed over.
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { DashboardModel } from '../../../src/extension/dashboard/model.ts';
import { RunReader } from '../../../src/runs/reader.ts';
import { loadRun } from '../../../src/trainer/cli/run-facts.ts';
import { picture } from '../../../src/trainer/cli/show.ts';
import { predictFile } from '../../../src/trainer/inference/predict/index.ts';
import { sampleText } from '../../../src/trainer/inference/sample.ts';
import { trainRuns } from '../../../src/trainer/training/work.ts';

const FIXTURES = new URL('fixtures-0.1.0', import.meta.url).pathname;
const SCREEN = { columns: 80, textColumns: 80, colours: 'none' } as Parameters<typeof picture>[2];

let root = '';

/** A copy of the fixture, since a run may be written to. */
function copyOf(task: string): string {
  const name = readdirSync(FIXTURES).find(folder => folder.includes(task))!;
  const folder = join(root, name);
  cpSync(join(FIXTURES, name), folder, { recursive: true });
  return folder;
}

function read(folder: string): RunReader {
  const reader = new RunReader(folder);
  while (reader.poll() || reader.behind);
  return reader;
}

async function dashboardOf(folder: string) {
  const { request } = read(folder);
  const model = new DashboardModel();
  model.setRuns([
    {
      folder,
      id: request!.id,
      name: request!.name,
      request: request!,
      state: 'finished',
      heartbeatAge: 0,
    },
  ]);
  await model.read();
  return model.whole().runs[0]!;
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'unroll-versions-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a run folder of version 0.1.0', () => {
  for (const [task, series, sample] of [
    ['char-lm', ['gates', 'gradient-flow', 'gradient-flow-full', 'saturation'], 'text'],
    ['forecast', ['gates', 'gradient-flow', 'gradient-flow-full', 'saturation'], 'series'],
    ['adding', ['dead-units', 'gradient-flow', 'gradient-flow-full'], 'pairs'],
  ] as const)
    it(`of ${task} is read whole, drawn in a terminal and on the dashboard`, async () => {
      const folder = copyOf(task);
      const reader = read(folder);
      assert.deepEqual(reader.problems, []);
      assert.deepEqual([...reader.series.keys()].sort(), series);
      assert.equal(reader.samples.at(-1)?.sample.type, sample);
      for (const { sidecar } of reader.series.values()) {
        assert.notEqual(sidecar.view, '');
        for (const level of sidecar.layers) assert.equal(level.family, 'recurrent');
      }
      const shown = stripVTControlCharacters(
        picture(loadRun(folder), { logarithmic: true, layer: null }, SCREEN),
      );
      assert.match(shown, /Gradient flow/);
      assert.doesNotMatch(shown, /Note:/);
      const run = await dashboardOf(folder);
      assert.ok(run.series['time-map'][0]!.steps.length > 0);
      assert.match(run.series['time-map'][0]!.layers[0]!.title, /^(RNN|GRU|LSTM)$/);
      if (task !== 'adding') assert.ok(run.series.gates[0]!.halfLife.length > 0);
      assert.ok(run.valLoss.step.length > 0);
    });

  it('that was stopped trains on to its end', async () => {
    const [outcome] = await trainRuns([copyOf('adding')]);
    assert.equal(outcome?.reason, 'finished');
    assert.equal(outcome?.steps, 400);
    const { ended, problems } = read(outcome!.folder);
    assert.deepEqual(problems, []);
    assert.equal(typeof ended?.metrics?.['valAccuracy'], 'number');
  });

  it('gives text and forecasts', async () => {
    const sampled = await sampleText(copyOf('char-lm'), { length: 12 });
    assert.equal(sampled.text.length, 12);
    const table = join(root, 'table.csv');
    const rows = Array.from({ length: 30 }, (_, i) => `1958-03-01,${315 + Math.sin(i)},${315 + Math.sin(i)}`);
    writeFileSync(table, `Date,CO2,adjusted CO2\n${rows.join('\n')}\n`);
    const predicted = await predictFile(copyOf('forecast'), table);
    assert.equal(predicted.facts['target'], 'CO2');
    assert.ok(predicted.rows.length > 0);
  });
});

describe('what a newer writer says', () => {
  it('of findings and metrics is kept; events and samples of unknown kinds are passed over without a note', () => {
    const folder = copyOf('adding');
    const events = [
      {
        kind: 'finding',
        finding: { id: 'forgets', severity: 'info', message: 'm', layer: null, evidence: {}, fixes: [] },
      },
      { kind: 'scalars', values: { chrF: 0.5 }, ownSeconds: 9, tokens: 9 },
      { kind: 'aligned', what: [1, 2] },
      { kind: 'sample', sample: { type: 'alignment', rows: [] } },
      ...['pairs', 'decoded', 'tagged'].map(type => ({ kind: 'sample', sample: { type, rows: [] } })),
    ];
    const before = read(folder);
    appendFileSync(
      join(folder, 'events.jsonl'),
      events.map(event => `${JSON.stringify({ step: 60, time: 1, ...event })}\n`).join(''),
    );
    const reader = read(folder);
    assert.deepEqual(reader.problems, []);
    assert.deepEqual(
      reader.findings.slice(before.findings.length).map(({ id }) => id),
      ['forgets'],
    );
    assert.equal(reader.scalars.get('chrF')?.length, 1);
    assert.equal(reader.samples.length, before.samples.length + 3);
  });

  it('of events it should have written well is still said', () => {
    const folder = copyOf('adding');
    appendFileSync(
      join(folder, 'events.jsonl'),
      `${JSON.stringify({ step: 60, time: 1, kind: 'sample', sample: 7 })}\n`,
    );
    assert.match(read(folder).problems.join(), /is left out: sample/);
  });

  it('in a series of an unknown view is read and not drawn', async () => {
    const folder = copyOf('adding');
    const before = await dashboardOf(folder);
    const series = join(folder, 'series');
    mkdirSync(series, { recursive: true });
    const axes = [{ name: 'frequency', size: 2 }];
    const level = { name: 'layers.0', family: 'spectral', title: 'Fourier', units: 3 };
    writeFileSync(
      join(series, 'spectrum.json'),
      JSON.stringify({ name: 'spectrum', view: 'waterfall', width: 2, axes, layers: [level], unit: 'dB' }),
    );
    const row = Buffer.alloc(12);
    row.writeUInt32LE(7);
    row.writeFloatLE(0.5, 4);
    writeFileSync(join(series, 'spectrum.f32'), row);
    const reader = read(folder);
    assert.deepEqual(reader.problems, []);
    const { sidecar, rows } = reader.series.get('spectrum')!;
    assert.equal(sidecar.view, 'waterfall');
    assert.deepEqual(
      rows.map(values => [...values]),
      [[0.5, 0]],
    );
    assert.deepEqual(Object.keys(await dashboardOf(folder)), Object.keys(before));
    assert.match(picture(loadRun(folder), { logarithmic: true, layer: null }, SCREEN), /Gradient flow/);
  });
});
