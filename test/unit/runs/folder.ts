// Run folders for tests: made by the real code in a temporary place, and removed after each test.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { experimentSchema } from '../../../src/experiment/schema.ts';
import { createRun } from '../../../src/runs/create.ts';
import type { RunEvent, RunFile, RunRequest, SeriesSidecar } from '../../../src/runs/format.ts';

export const experiment = experimentSchema.parse({
  data: { task: 'adding' },
  model: { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] },
  training: { steps: 100 },
});

export function requestOf(workspace: string): Omit<RunRequest, 'format' | 'id' | 'createdAt'> {
  return {
    name: 'adding',
    experiment,
    definition: { path: 'adding.rnn.json', line: 3, language: 'rnn-json', text: '{}' },
    group: null,
    engine: 'auto',
    threads: null,
    base: workspace,
    workspace,
    allowedPaths: [],
  };
}

export function runFileOf(request: RunRequest): RunFile {
  return {
    ...request,
    versions: { unroll: '0.1.0', node: process.version, tfjs: '4.22.0' },
    engineUsed: { provider: 'reference', instructionSet: 'none', threads: 1, why: 'a test' },
    machine: { host: 'here', platform: 'linux', arch: 'x64', cpu: 'a cpu', cores: 2, memoryBytes: 8e9 },
    parameters: {
      total: 101,
      layers: [{ name: 'layers.0', type: 'gru', count: 96, formula: '3·4·(2 + 4 + 2)' }],
    },
    task: {
      name: 'adding',
      lossUnit: 'mse',
      baseline: { loss: 1 / 6, name: 'always 1' },
      seqLen: 100,
      batchSize: 32,
      tokensPerStep: 3200,
      notes: [],
    },
  };
}

export function scalars(step: number, values: Record<string, number>): RunEvent {
  return { kind: 'scalars', step, time: 1000 + step, values, ownSeconds: step / 10, tokens: step * 3200 };
}

export const sidecar: SeriesSidecar = {
  name: 'gradient-flow',
  view: 'time-map',
  width: 6,
  axes: [
    { name: 'layer', size: 2 },
    { name: 't', size: 3 },
  ],
  layers: [
    { name: 'layers.0.0', family: 'recurrent', title: 'GRU', units: 4 },
    { name: 'layers.0.1', family: 'recurrent', title: 'GRU', units: 4 },
  ],
  unit: '‖∂L/∂h_t‖',
};

/** Temporary folders of one test file; `clean` in afterEach. */
export class Scratch {
  readonly #folders: string[] = [];

  folder(parent = tmpdir()): string {
    const folder = mkdtempSync(join(parent, 'unroll-runs-'));
    this.#folders.push(folder);
    return folder;
  }

  run(): string {
    const workspace = this.folder();
    return createRun({ workspace }, requestOf(workspace));
  }

  clean(): void {
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  }
}
