// Real runs, recorded: loss and gradient norm of every step, validations, and the logarithm of first over last
// gradient norm. Played into a Diagnosis as the training loop would.
import { readFileSync } from 'node:fs';
import { Diagnosis, type Observation, type RunFacts } from '../../../src/diagnosis/diagnose.ts';
import type { Finding } from '../../../src/runs/format.ts';

interface Recording extends RunFacts {
  /** step, loss, gradient norm */
  steps: [number, number, number][];
  validations: [number, number][];
  /** step, log10 ratio by level */
  ratios: [number, ...(number | null)[]][];
  /** step, means by gate, saturated shares by gate */
  gates: { labels: string[]; rows: number[][] } | null;
}

export function readRecording(name: string): Recording {
  return JSON.parse(readFileSync(new URL(`runs/${name}.json`, import.meta.url), 'utf8')) as Recording;
}

export type Found = Finding & { step: number };

/** All that is found in the first `until` steps. */
export function play(recording: Recording, until = Number.POSITIVE_INFINITY): Found[] {
  const diagnosis = new Diagnosis(recording);
  const found: Found[] = [];
  for (const observation of observations(recording)) {
    if (observation.step > until) break;
    for (const finding of diagnosis.observe(observation)) found.push({ ...finding, step: observation.step });
  }
  return found;
}

export function* observations(recording: Recording): Generator<Observation> {
  const ratios = new Map(recording.ratios.map(([step, ...levels]) => [step, levels]));
  const validations = new Map(recording.validations);
  const gates = new Map(recording.gates?.rows.map(([step, ...values]) => [step!, values]));
  for (const [step, trainLoss, gradNorm] of recording.steps) {
    const flow = (ratios.get(step) ?? []).flatMap((ratio, level) =>
      ratio === null
        ? []
        : [{ layer: recording.layers[level]!.name, norms: Float64Array.of(10 ** ratio, 1) }],
    );
    const valLoss = validations.get(step);
    yield {
      step,
      trainLoss,
      gradNorm,
      flow,
      gates: gatesAt(recording, gates.get(step)),
      ...(valLoss === undefined ? {} : { valLoss }),
    };
  }
}

function gatesAt({ gates }: Recording, values: number[] | undefined): NonNullable<Observation['gates']> {
  if (!gates || !values) return [];
  return gates.labels.map((label, index) => {
    const [layer, gate] = label.split(' ') as [string, string];
    return {
      layer,
      gate,
      mean: [values[index]!],
      saturation: [values[gates.labels.length + index]!],
    };
  });
}
