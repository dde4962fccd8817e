// Made-up runs for the tests of findings.
import { Diagnosis, type Observation, type RunFacts } from '../../../src/diagnosis/diagnose.ts';
import { type ExperimentInput, experimentSchema } from '../../../src/experiment/schema.ts';
import type { Finding } from '../../../src/runs/format.ts';

const TEXT: ExperimentInput = {
  data: { task: 'char-lm', path: 'a.txt' },
  model: {
    layers: [{ type: 'embedding', dim: 8 }, { type: 'lstm', units: 32, layers: 2 }, { type: 'dense' }],
  },
  training: { steps: 1000, clipNorm: null },
};

export function facts(
  change: Partial<NonNullable<ExperimentInput['training']>> = {},
  baseline = 3,
): RunFacts {
  const experiment = experimentSchema.parse({ ...TEXT, training: { ...TEXT.training, ...change } });
  return {
    experiment,
    task: {
      name: 'char-lm',
      lossUnit: 'nats/char',
      baseline: { loss: baseline, name: 'character frequencies alone' },
      seqLen: 64,
      batchSize: 32,
      tokensPerStep: 2048,
      notes: [],
    },
    layers: [0, 1].map(level => ({ name: `layers.1.${level}`, units: 32 })),
  };
}

/** The same run on other data. */
export function withData(data: object): RunFacts {
  const { experiment, ...rest } = facts();
  return { ...rest, experiment: { ...experiment, data: experimentSchema.shape.data.parse(data) } };
}

export function run(what: RunFacts, steps: number, at: (step: number) => Partial<Observation>): Finding[] {
  const diagnosis = new Diagnosis(what);
  const found: Finding[] = [];
  for (let step = 1; step <= steps; step++) found.push(...diagnosis.observe({ step, ...at(step) }));
  return found;
}

export const ids = (found: readonly Finding[]) => found.map(({ id }) => id);
