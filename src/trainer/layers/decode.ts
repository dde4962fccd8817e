// From a model with an encoder to sequences of symbols, a step at a time, each symbol read as the next input.
// Beam search with a length penalty: Y. Wu et al., 2016, https://arxiv.org/abs/1609.08144, equation 14.
import type { Encoded, Model } from './model.ts';
import { type Stepper, stepper } from './stepper.ts';

/** What begins and ends a sequence, and where one that does not end is cut at the latest. */
export interface Ends {
  start: number;
  end: number;
  /** steps */
  most: number;
}

export interface Look {
  /** steps that are made though every sequence has ended */
  least?: number;
  /** (batch, classes) of step t; lent until it returns */
  onLogits?(t: number, logits: Float32Array): void;
  /** the symbol that is said and read next; default: the most likely one */
  choose?(logits: Float32Array, row: number, classes: number): number;
}

export interface BeamOptions {
  width: number;
  /** α: scores are divided by ((5 + length) / 6)^α; 0: none */
  lengthPenalty: number;
}

/** Where a sequence is cut: a window that slides would give each symbol another position than it was written at. */
function mostOf({ lastPosition }: Model, { most }: Ends): number {
  return Math.min(most, lastPosition ?? most);
}

/** The most likely symbol at each step, without the end; for each of `batch` sequences. */
export function greedy(
  model: Model,
  batch: number,
  encoded: Encoded,
  ends: Ends,
  look: Look = {},
): number[][] {
  const { start, end } = ends;
  const most = mostOf(model, ends);
  const written: number[][] = Array.from({ length: batch }, () => []);
  const ended = new Array<boolean>(batch).fill(false);
  const walker = stepper(model, batch, encoded);
  let next = new Int32Array(batch).fill(start);
  const { least = 0, onLogits, choose = mostLikely } = look;
  for (let t = 0; t < least || (t < most && ended.includes(false)); t++) {
    const logits = walker.step(next);
    const classes = logits.length / batch;
    onLogits?.(t, logits);
    next = Int32Array.from({ length: batch }, (_, row) => choose(logits, row, classes));
    for (let row = 0; row < batch; row++) {
      if (next[row] === end) ended[row] = true;
      else if (!ended[row] && t < most) written[row]!.push(next[row]!);
    }
  }
  return written;
}

export function mostLikely(logits: Float32Array, row: number, classes: number): number {
  let best = 0;
  for (let k = 1; k < classes; k++) if (logits[row * classes + k]! > logits[row * classes + best]!) best = k;
  return best;
}

export interface Hypothesis {
  symbols: number[];
  /** log p of the symbols and the end, in nats */
  logProbability: number;
}

interface Beam extends Hypothesis {
  /** its row in the stepper */
  row: number;
}

/** The best sequences of ONE source, the best first: those that ended, or those that were cut where none did. */
export function beamSearch(
  model: Model,
  encoded: Encoded,
  ends: Ends,
  { width, lengthPenalty }: BeamOptions,
): Hypothesis[] {
  const { start, end } = ends;
  const most = mostOf(model, ends);
  const scoreOf = ({ symbols, logProbability }: Hypothesis) =>
    logProbability / ((5 + symbols.length + 1) / 6) ** lengthPenalty;
  const finished: Hypothesis[] = [];
  let beams: Beam[] = [{ symbols: [], logProbability: 0, row: 0 }];
  let walker: Stepper = stepper(model, 1, encoded);
  for (let t = 0; t < most && beams.length > 0; t++) {
    const read = Int32Array.from(beams, ({ symbols }) => symbols.at(-1) ?? start);
    const logits = walker.step(read);
    const classes = logits.length / beams.length;
    const candidates = beams.flatMap((beam, row) => {
      const own = logits.subarray(row * classes, (row + 1) * classes);
      const total = logSumExp(own);
      return Array.from(own, (logit, symbol) => ({
        row,
        symbol,
        logProbability: beam.logProbability + logit - total,
      }));
    });
    candidates.sort((a, b) => b.logProbability - a.logProbability);
    const going: Beam[] = [];
    for (const { row, symbol, logProbability } of candidates.slice(0, 2 * width)) {
      const { symbols } = beams[row]!;
      if (symbol === end) finished.push({ symbols, logProbability });
      else if (going.length < width) going.push({ symbols: [...symbols, symbol], logProbability, row });
    }
    beams = finished.length >= width && !canWin(going, finished, scoreOf, most, lengthPenalty) ? [] : going;
    if (beams.length > 0) walker = walker.fork(beams.map(({ row }) => row));
  }
  return [...(finished.length > 0 ? finished : beams)]
    .sort((a, b) => scoreOf(b) - scoreOf(a))
    .slice(0, width)
    .map(({ symbols, logProbability }) => ({ symbols, logProbability }));
}

/** Whether a sequence that goes on may still pass the best that ended: probabilities only fall. */
function canWin(
  going: readonly Beam[],
  finished: readonly Hypothesis[],
  scoreOf: (hypothesis: Hypothesis) => number,
  most: number,
  lengthPenalty: number,
): boolean {
  const best = Math.max(...finished.map(scoreOf));
  return going.some(({ logProbability }) => logProbability / ((5 + most + 1) / 6) ** lengthPenalty > best);
}

function logSumExp(logits: Float32Array): number {
  const most = logits.reduce((max, logit) => Math.max(max, logit), Number.NEGATIVE_INFINITY);
  return most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
}
