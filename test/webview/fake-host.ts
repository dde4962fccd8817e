// Stands in for the extension on the development page: the real projections and the real protocol, over fake runs.
// ?theme=dark|light|hc-dark|hc-light &layout=side|tab &state=empty|queued|training|paused|finished|stopped|diverged|
// crashed|silent|restricted|waiting &task=char-lm|forecast|adding &runs=3 &step=840 &steps=2000 &live=1 &layers=1
// &shows=series|classes|decoded|tagged|augmented &matrix=1 &alone=0.4 &begins=1 &targets=CO2,half
import { runReach } from '../../src/diagnosis/run-reach.ts';
import { comparisonView } from '../../src/extension/dashboard/comparison-view.ts';
import { parametersView } from '../../src/extension/dashboard/parameters.ts';
import { RunProjection } from '../../src/extension/dashboard/run-view.ts';
import { checkRequest } from '../../src/protocol/check.ts';
import { HostConnection } from '../../src/protocol/connection.ts';
import type { ComparisonView, DashboardState } from '../../src/protocol/messages.ts';
import { joinedEnds } from '../../src/protocol/transport.ts';
import { ComparedFigures } from '../../src/runs/comparison-row.ts';
import { fakeTried } from './samples.ts';
import { type FakeOptions, type FakeRun, fakeRun } from './stream.ts';

const query = new URLSearchParams(location.search);
const state = query.get('state') ?? 'training';
const task = (query.get('task') ?? 'char-lm') as FakeOptions['task'] & string;
const steps = Number(query.get('steps') ?? 2000);
const startStep = Number(query.get('step') ?? (state === 'finished' ? steps : 840));
const wanted = Number(query.get('runs') ?? 3);
const layers = Number(query.get('layers') ?? 1);
const hostile = query.get('hostile') === '1';

const themes: Record<string, string> = {
  dark: 'vscode-dark',
  light: 'vscode-light',
  'hc-dark': 'vscode-high-contrast',
  'hc-light': 'vscode-high-contrast-light vscode-high-contrast',
};
export function setTheme(name: string): void {
  document.documentElement.dataset['theme'] = name;
  document.body.className = themes[name] ?? 'vscode-dark';
}
setTheme(query.get('theme') ?? 'dark');
document.body.dataset['place'] = query.get('layout') === 'tab' ? 'tab' : 'side';

function makeRuns(): FakeRun[] {
  const cells = ['rnn', 'gru', 'lstm'] as const;
  return Array.from({ length: state === 'empty' ? 0 : wanted }, (_, i) => {
    const cell = wanted === 1 ? 'lstm' : cells[i % 3]!;
    const variant = Math.floor(i / 3);
    const name = hostile ? '<img src=x onerror=alert(1)>' : cell.toUpperCase();
    const data = ['Adding', 'Copy memory', 'Associative recall'][variant % 3]!;
    return fakeRun({
      cell,
      matrix:
        query.get('matrix') === '1'
          ? { row: cell, column: data, rowTitle: name, columnTitle: data, can: [true, false, null][i % 3]! }
          : null,
      label: variant === 0 ? name : `${name} · seed ${variant + 1}`,
      variant,
      steps,
      seqLen: task === 'forecast' ? 24 : 100,
      seed: 3 + i,
      layers,
      task: query.get('mixed') === '1' && i % 2 === 1 ? 'forecast' : task,
      shows: (query.get('shows') ?? undefined) as FakeOptions['shows'],
      full: query.get('full') === '1',
      targets: query.get('targets')?.split(','),
      spectrum: query.get('spectrum') === '1',
      window: query.has('window') ? Number(query.get('window')) : undefined,
      timeAlone: query.has('alone') ? Number(query.get('alone')) : undefined,
      begins: query.get('begins') === '1',
      vanishes: query.get('vanishes') === '1' && cell === 'rnn',
      ...(cell === 'rnn' && variant === 0 && task === 'char-lm' && query.get('nan') !== '0'
        ? { divergesAt: 612 }
        : {}),
    });
  });
}

const runs = makeRuns();
for (const run of runs) {
  if (state === 'queued') run.life.state = run.source.status.state = 'queued';
  else run.advance(state === 'waiting' ? 0 : startStep);
  if (state === 'diverged' && run.life.state !== 'diverged') continue;
  const ends = ['paused', 'stopped', 'crashed', 'silent'] as const;
  const end = ends.find(name => name === state);
  if (end && run.life.state === 'training') {
    run.life.state = end;
    run.life.heartbeatAge = 41;
    if (end === 'paused' || end === 'stopped') run.source.status.state = end;
  }
}

const projections = new Map(runs.map(run => [run.id, new RunProjection(run.id)]));
let smoothing = 0.9;
const [hostEnd, pageEnd] = joinedEnds();

const figures = new Map(runs.map(run => [run.id, new ComparedFigures()]));
let baseline: string | null = null;

function comparison(): ComparisonView {
  return comparisonView(
    runs.flatMap(({ id, place, life, source }) => {
      const run = figures.get(id)!.of(source, {
        id,
        label: place.label,
        state: life.state,
        reach: runReach(source.series.get('gradient-flow') as Parameters<typeof runReach>[0]),
      });
      const own = source.request?.experiment;
      const batchSize = place.variant % 2 === 0 ? 32 : 16;
      const experiment =
        own && query.get('grid') === '1' ? { ...own, training: { ...own.training, batchSize } } : own;
      return run && experiment ? [{ run, experiment }] : [];
    }),
    baseline,
  );
}

function whole(): DashboardState {
  const restricted =
    state === 'restricted'
      ? 'Training is off because this workspace is not trusted: it would read data and write runs as its files say. Parameter counts and finished runs can be seen.'
      : null;
  return {
    title: runs.length === 0 ? null : 'emma',
    subtitle:
      runs.length === 1
        ? 'LSTM, 128 units'
        : wanted <= 4
          ? 'compare RNN · GRU · LSTM, 128 units'
          : `compare ${wanted} runs, 128 units`,
    pinned: null,
    runs: runs.map(run => projections.get(run.id)!.whole(run.source, run.life, run.place, smoothing)),
    comparison: comparison(),
    offer: 'emma.rnn.json',
    restricted,
    untrusted: restricted !== null,
  };
}

export const requests: { name: string; params: unknown }[] = [];
function note<T>(name: string, params: T): T {
  requests.push({ name, params });
  return params;
}

const connection = new HostConnection(
  hostEnd,
  {
    'page/ready': params => {
      smoothing = note('page/ready', params).smoothing;
      connection.emit('state/replace', whole());
      return null;
    },
    'curve/smooth': params => {
      smoothing = note('curve/smooth', params).smoothing;
      send();
      return null;
    },
    'curve/range': params => {
      note('curve/range', params);
      return projections.get(params.runId)!.range(params.curve, params.from, params.to, params.points);
    },
    'comparison/pin': params => {
      baseline = note('comparison/pin', params).runId;
      connection.emit('state/update', { runs: [], comparison: comparison() });
      return null;
    },
    'choices/load': () => localStorage.getItem('choices'),
    'choices/save': params => {
      localStorage.setItem('choices', note('choices/save', params).choices);
      return null;
    },
    'chart/save': params => {
      note('chart/save', params);
      return null;
    },
    'run/control': ({ runIds, action }) => {
      note('run/control', { runIds, action });
      for (const run of runs)
        if (runIds.includes(run.id) && action !== 'checkpoint') {
          const next = { pause: 'paused', resume: 'training', stop: 'stopped' } as const;
          run.life.state = run.source.status.state = next[action];
        }
      send();
      return null;
    },
    'run/continue': ({ runIds }) => {
      note('run/continue', { runIds });
      for (const run of runs)
        if (runIds.includes(run.id)) run.life.state = run.source.status.state = 'training';
      send();
      return null;
    },
    'finding/fix': params => {
      note('finding/fix', params);
      return null;
    },
    'run/try': params => {
      const { given } = note('run/try', params);
      if (given.text === 'wrong') throw new Error('Type a text.');
      return fakeTried;
    },
    'command/run': params => {
      note('command/run', params);
      return null;
    },
  },
  checkRequest,
);

export function send(): void {
  const patches = runs.flatMap(
    run => projections.get(run.id)!.changes(run.source, run.life, run.place, smoothing) ?? [],
  );
  if (patches.length > 0) connection.emit('state/update', { runs: patches, comparison: comparison() });
}

export function advance(count: number): void {
  for (const run of runs) run.advance(count);
  send();
}

if (query.get('live') === '1') setInterval(() => advance(5), 250);

Object.assign(window, {
  acquireVsCodeApi: () => ({
    postMessage: (message: unknown) => pageEnd.post(message),
    getState: () => JSON.parse(sessionStorage.getItem('unroll') ?? 'null'),
    setState: (value: unknown) => sessionStorage.setItem('unroll', JSON.stringify(value)),
  }),
  fake: { advance, send, setTheme, requests, runs, parametersView },
});
pageEnd.listen(
  message => window.postMessage(message, '*'),
  () => {},
);
