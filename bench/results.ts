// Rows of results, and the figures that are to be reached.
import { type Cell, operationsOf, type Shape } from './cases.ts';
import type { Measured } from './rounds.ts';
import { msOf } from './rounds.ts';
import { medianRatio } from './statistics.ts';

/** One of the 18 cases with one provider. */
export interface CaseRow {
  cell: string;
  shape: Shape;
  provider: string;
  /** msPeer / msOurs: the median of the rounds' own ratios */
  ratio: number;
  msOurs: number;
  msPeer: number;
  /** of what the multiply-adds of these threads can do in this vector width; null: not known */
  peakFraction: number | null;
  threads: number;
  isa: string;
  peer: string;
}

/** All else; never with a `ratio`. */
export interface OtherRow {
  kind: string;
  [figure: string]: unknown;
}

export type Row = CaseRow | OtherRow;

export function isCase(row: Row): row is CaseRow {
  return 'ratio' in row;
}

/** Operations a second by vector width and threads, as `key(floats, threads)`. */
export type Peaks = ReadonlyMap<string, number>;

export function peakKey(floats: number, threads: number): string {
  return `${floats} × ${threads}`;
}

/** Floats of a vector, by the name of the instruction set. */
export function vectorFloats(isa: string): number | null {
  if (/avx-?512/i.test(isa)) return 16;
  if (/avx2/i.test(isa)) return 8;
  return /simd|neon|plain|sse/i.test(isa) ? 4 : null;
}

export function peakFractionOf(
  cell: Cell,
  shape: Shape,
  ms: number,
  isa: string,
  threads: number,
  peaks: Peaks,
): number | null {
  const floats = vectorFloats(isa);
  const peak = floats === null ? undefined : peaks.get(peakKey(floats, threads));
  return peak === undefined ? null : operationsOf(cell, shape).usual / (ms / 1000) / peak;
}

export function caseRow(
  { cell, shape }: { cell: string; shape: Shape },
  ours: { name: string; peer: string; measured: Measured },
  peer: Measured,
  peaks: Peaks,
): CaseRow {
  const { isa, threads } = ours.measured.last as { isa: string; threads: number };
  const msOurs = msOf(ours.measured);
  return {
    cell,
    shape,
    provider: ours.name,
    ratio: medianRatio(peer.ms, ours.measured.ms),
    msOurs,
    msPeer: msOf(peer),
    peakFraction: peakFractionOf(cell as Cell, shape, msOurs, isa, threads, peaks),
    threads,
    isa,
    peer: `${ours.peer}, ${peer.last.threads} threads`,
  };
}

/** A figure beside what it should be; `atLeast` false: at most. */
export interface Target {
  name: string;
  value: number;
  target: number;
  atLeast: boolean;
  /** how both are written, e.g. "x" or " %" */
  unit: string;
}

export function reached({ value, target, atLeast }: Target): boolean {
  return atLeast ? value >= target : value <= target;
}
