// `decoding.json`: what a loop over an exported encoder and a decoder's steps needs, whichever runtime reads them.
import type { PlacedLayer } from '../../experiment/models.ts';
import { UNKNOWN } from '../data/text.ts';
import type { FinishedRun } from '../inference/finished-run.ts';
import { endsOf, type PairArtifact } from '../tasks/pair-batches.ts';
import { statesOf } from './decoder-steps.ts';

export interface StateName {
  /** as an output of the encoder and an input of the decoder: "layers.1.0.h" */
  name: string;
  /** as an output of the decoder */
  next: string;
  /** numbers of one sequence; of a share for each step of the source: "source_steps" */
  size: number | 'source_steps';
}

interface Part {
  file: string;
  /** names, in the order of the model */
  inputs: string[];
  outputs: string[];
}

interface Parts {
  encoder: Part;
  decoder: Part;
  states: StateName[];
}

export interface Decoding extends Parts {
  /** units of sources by id, and of targets, whose last two are start and end */
  sourceSymbols: string[];
  targetSymbols: string[];
  units: string;
  targetUnits: string;
  start: number;
  end: number;
  /** the source's id of what the model has never seen */
  unknown: number;
  /** after so many steps a target is cut */
  mostSteps: number;
}

export function decodingOf(opened: FinishedRun, parts: Parts): Decoding {
  const artifact = opened.artifact as unknown as PairArtifact;
  const { start, end, most } = endsOf(artifact);
  const { sourceSymbols, targetSymbols, units, targetUnits } = artifact;
  return {
    ...parts,
    sourceSymbols,
    targetSymbols,
    units,
    targetUnits,
    start,
    end,
    unknown: Math.max(0, sourceSymbols.indexOf(UNKNOWN)),
    mostSteps: most,
  };
}

/** Of the decoder's outputs, since a graph's inputs and outputs share no name. */
export function nextOf(state: string): string {
  return `next.${state}`;
}

/** The states of a decoder's cells, in the order of its layers. */
export function stateNames(written: readonly PlacedLayer[]): (StateName & { size: number })[] {
  return written
    .flatMap(placed => statesOf(placed).flat())
    .map(({ name, size }) => ({ name, next: nextOf(name), size }));
}
