// When things happen, as functions of the experiment alone: time never decides.
import type { Experiment } from '../../experiment/schema.ts';
import { type Batch, tokensOf } from '../layers/batch.ts';

/** Rows of a scalar, and of a series with a time axis, that a run writes at most by default. */
const SCALAR_ROWS = 20_000;
const SERIES_ROWS = 2000;
/** sequences of the batch that the probes look at */
export const PROBE_SEQUENCES = 4;

/** The same of this batch: fewer where they have more steps than a pass may have. */
export function probedSequences(
  batch: Pick<Batch, 'seqLen' | 'batch' | 'source'>,
  maxTokens: number,
): number {
  const fitting = Math.floor(maxTokens / tokensOf({ ...batch, batch: 1 }));
  return Math.max(1, Math.min(PROBE_SEQUENCES, batch.batch, fitting));
}

const PROBE_COST = 0.005;
/** Measured: so few sequences fill no registers, and take about three times their share of the batch's time. */
const PROBE_SHARE = 3;
/** A run that is so short that it has fewer of them is probed more often. */
const FEWEST_PROBES = 50;
/** Validation's share of the time at most, while there are at least so many validations. */
const VALIDATION_COST = 0.2;
const VALIDATIONS = { most: 50, least: 10 };

export interface Intervals {
  log: number;
  validation: number;
  checkpoint: number;
  sample: number;
  /** gradient of the training loss itself, a by-product of the step */
  fullFlow: number;
  /** gradient of the last step's loss; 0: never */
  reach: number;
  gates: number;
}

/**
 * `extraPass`: the reach probe needs a backward pass of its own, since there is a loss at every step;
 * `validationBatches`: each costs about a third of a training step.
 */
export function intervalsOf(
  experiment: Experiment,
  { extraPass, validationBatches }: { extraPass: boolean; validationBatches: number },
): Intervals {
  const { training, probes, log } = experiment;
  const { steps } = training;
  const byProduct = Math.ceil(steps / SERIES_ROWS);
  const share = (PROBE_SHARE * Math.min(PROBE_SEQUENCES, training.batchSize)) / training.batchSize;
  const affordable = Math.min(Math.ceil(share / PROBE_COST), Math.ceil(steps / FEWEST_PROBES));
  return {
    log: log.every ?? Math.ceil(steps / SCALAR_ROWS),
    validation: training.validation.every ?? validationEvery(steps, validationBatches),
    checkpoint: training.checkpoint.every ?? Math.ceil(steps / 20),
    sample: training.sample.every ?? Math.ceil(steps / 10),
    fullFlow: probes.gradientFlow === false ? 0 : byProduct,
    reach:
      probes.gradientFlow === false
        ? 0
        : (probes.gradientFlow.every ?? (extraPass ? Math.max(affordable, byProduct) : byProduct)),
    gates: probes.gates === false ? 0 : (probes.gates.every ?? byProduct),
  };
}

function validationEvery(steps: number, batches: number): number {
  const affordable = Math.ceil(batches / 3 / VALIDATION_COST);
  return Math.min(
    Math.max(Math.ceil(steps / VALIDATIONS.most), affordable),
    Math.ceil(steps / VALIDATIONS.least),
  );
}

/** Whether something due every `every` steps is due at this one; 0 is never. */
export function isDue(step: number, every: number): boolean {
  return every > 0 && step % every === 0;
}
