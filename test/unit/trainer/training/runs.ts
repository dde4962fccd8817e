// Small real runs in a temporary workspace, for the tests of training.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Experiment,
  type ExperimentInput,
  experimentSchema,
} from '../../../../src/experiment/schema.ts';
import { createRun } from '../../../../src/runs/create.ts';
import type { RunEvent, RunRequest } from '../../../../src/runs/format.ts';
import { RunReader } from '../../../../src/runs/reader.ts';
import { bestCheckpoint, latestCheckpoint } from '../../../../src/runs/writer.ts';
import { type RunOutcome, trainRuns, type WorkOptions } from '../../../../src/trainer/training/work.ts';

let workspace = '';

/** A fresh workspace for each test; gone after it. */
export function useWorkspace(): void {
  beforeEach(() => {
    workspace = mkdtempSync(join(tmpdir(), 'unroll-training-'));
    writeFileSync(join(workspace, 'text.txt'), rhyme(3000));
  });
  afterEach(() => rmSync(workspace, { recursive: true, force: true }));
}

export function workspaceFolder(): string {
  return workspace;
}

/** Text with something to learn in it, the same every time. */
export function rhyme(length: number): string {
  const words = ['the', 'cat', 'sat', 'on', 'a', 'mat', 'and', 'ran'];
  let text = '';
  for (let i = 0; text.length < length; i++)
    text += words[(i * i + 3 * i) % words.length] + (i % 7 ? ' ' : '.\n');
  return text.slice(0, length);
}

/** A char-lm in which everything is on that could disturb the bits: dropout, carried state, Adam. */
export function tinyExperiment(change: Partial<ExperimentInput['training']> = {}): ExperimentInput {
  return {
    name: 'tiny',
    data: { task: 'char-lm', path: 'text.txt', split: [0.8, 0.1, 0.1] },
    model: {
      layers: [
        { type: 'embedding', dim: 4 },
        { type: 'lstm', units: 6, layers: 2, dropout: 0.2 },
        { type: 'dense' },
      ],
    },
    training: {
      batchSize: 4,
      seqLen: 8,
      steps: 60,
      optimizer: { type: 'adam', learningRate: 0.01 },
      validation: { every: 10, maxBatches: 3 },
      checkpoint: { every: 7 },
      sample: { every: 20, length: 5 },
      ...change,
    },
  };
}

/** Runs `body` with a clock by which every piece of work ends its turn. */
export async function inShortTurns(body: () => Promise<void>): Promise<void> {
  const now = performance.now.bind(performance);
  let calls = 0;
  performance.now = () => now() + 50 * calls++;
  try {
    await body();
  } finally {
    performance.now = now;
  }
}

export function makeRun(input: ExperimentInput, change: Partial<RunRequest> = {}): string {
  const experiment: Experiment = experimentSchema.parse(input);
  return createRun(
    { workspace },
    {
      name: experiment.name ?? 'test',
      experiment,
      definition: null,
      group: null,
      engine: 'reference',
      threads: null,
      base: workspace,
      workspace,
      allowedPaths: [],
      ...change,
    },
  );
}

export async function train(folder: string, options: WorkOptions = {}): Promise<RunOutcome> {
  return (await trainRuns([folder], options))[0]!;
}

export async function trainNew(input: ExperimentInput): Promise<{ folder: string; outcome: RunOutcome }> {
  const folder = makeRun(input);
  return { folder, outcome: await train(folder) };
}

export function checkpointFile(folder: string, name: string, which: 'last' | 'best' = 'last'): Buffer {
  const checkpoint = which === 'last' ? latestCheckpoint(folder) : bestCheckpoint(folder);
  return readFileSync(join(checkpoint!.folder, name));
}

/** Hash of the last checkpoint's weights, optimizer and carried state. */
export function bitsOf(folder: string): string {
  const hash = createHash('sha256');
  for (const name of ['weights', 'optimizer', 'carried'])
    hash.update(checkpointFile(folder, `${name}.safetensors`));
  return hash.digest('hex');
}

export function eventsOf(folder: string): RunEvent[] {
  const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map(line => JSON.parse(line) as RunEvent);
}

export function readRun(folder: string): RunReader {
  const reader = new RunReader(folder);
  while (reader.poll() || reader.behind);
  return reader;
}

export function columnOf(folder: string, name: string): { steps: number[]; mean: number[] } {
  const column = readRun(folder).scalars.get(name);
  return { steps: [...(column?.steps.values() ?? [])], mean: [...(column?.mean.values() ?? [])] };
}

export function subfolder(name: string): string {
  const folder = join(workspace, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
