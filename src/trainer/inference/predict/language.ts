// What a language model says of a text: how many bits each line of it takes, and its perplexity. The text is read as one
// stream; its first symbol has nothing before it and is not counted.
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { count, plural } from '../../../experiment/words.ts';
import { whyOf } from '../../../runs/system-errors.ts';
import { DataError } from '../../data/errors.ts';
import { evaluate } from '../../layers/evaluate.ts';
import type { Model } from '../../layers/model.ts';
import type { State } from '../../layers/state.ts';
import { codecOf, type TaskArtifact } from '../../tasks/index.ts';
import type { Predicted } from './predictor.ts';

const MOST_BYTES = 1e8;
const SHOWN_CHARACTERS = 80;
/** Logits that are held at a time. */
const MOST_LOGITS = 4_000_000;
const STEPS = 256;

export async function predictLanguage(
  model: Model,
  artifact: TaskArtifact,
  path: string,
): Promise<Predicted> {
  const codec = codecOf(artifact)!;
  const { unit } = codec;
  const name = basename(path);
  const bytes = contentOf(path, name);
  const lines = artifact.task === 'byte-lm' ? byteLines(bytes) : textLines(bytes, name, codec);
  const ids = lines.flatMap(line => line.ids);
  if (ids.length < 2)
    throw new DataError(
      `${name} has ${plural(ids.length, unit)} that this run can read; 2 are needed, since the first has nothing before it.`,
    );
  const bits = bitsOf(model, ids, codec.symbols);
  const total = bits.reduce((sum, own) => sum + own, 0);
  const characters = lines.reduce((sum, { text }) => sum + [...text].length, 0);
  const figures = (own: ArrayLike<number>) => {
    const mean = Array.from(own).reduce((sum, value) => sum + value, 0) / own.length;
    return { bits: mean, perplexity: 2 ** mean };
  };
  let at = 0;
  const perUnit = `bitsPer${unit[0]!.toUpperCase()}${unit.slice(1)}`;
  const rows = lines.flatMap(({ ids: own, text }, index) => {
    // bits[i] are those of symbol i + 1
    const part = bits.slice(Math.max(0, at - 1), at + own.length - 1);
    at += own.length;
    if (part.length === 0) return [];
    const { bits: mean, perplexity } = figures(part);
    const shown = text.replace(/\r?\n$/, '');
    return [
      {
        line: index + 1,
        [`${unit}s`]: part.length,
        [perUnit]: mean,
        perplexity,
        text: shown.length > SHOWN_CHARACTERS ? `${shown.slice(0, SHOWN_CHARACTERS)} …` : shown,
      },
    ];
  });
  const { bits: mean, perplexity } = figures(bits);
  const perCharacter = total / Math.max(1, characters);
  const strangers = lines.reduce((sum, line) => sum + line.strangers, 0);
  return {
    columns: ['line', `${unit}s`, perUnit, 'perplexity', 'text'],
    rows,
    next: [],
    notes:
      strangers > 0
        ? [
            `${plural(strangers, unit)} that this run does not know ${strangers === 1 ? 'is' : 'are'} left out.`,
          ]
        : [],
    facts: { [`${unit}s`]: bits.length, [perUnit]: mean, bitsPerChar: perCharacter, perplexity },
    summary: `${plural(bits.length, unit)}: perplexity ${perplexity.toPrecision(5)}, ${mean.toFixed(3)} bits a ${unit}${unit === 'character' ? '' : `, ${perCharacter.toFixed(3)} a character`}.`,
  };
}

interface Line {
  ids: number[];
  text: string;
  /** symbols that the model does not know */
  strangers: number;
}

function contentOf(path: string, name: string): Buffer {
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES)
      throw new DataError(`${name} has ${count(size)} bytes; texts of up to ${count(MOST_BYTES)} are read.`);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`${name} cannot be read: ${whyOf(cause)}.`);
  }
}

function byteLines(bytes: Buffer): Line[] {
  const lines: Line[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    const to = end < 0 ? bytes.length : end + 1;
    const part = bytes.subarray(from, to);
    lines.push({ ids: [...part], text: part.toString('utf8'), strangers: 0 });
    from = to;
  }
  return lines;
}

function textLines(bytes: Buffer, name: string, codec: NonNullable<ReturnType<typeof codecOf>>): Line[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DataError(`${name} is not UTF-8 text.`);
  }
  return (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).map(line => {
    const { ids, strangers } = codec.encode(line);
    const unknown = new Set(strangers);
    return { ids, text: line, strangers: [...line].filter(symbol => unknown.has(symbol)).length };
  });
}

/** -log2 p of each symbol but the first. A model without states reads as many steps at once as in training. */
function bitsOf(model: Model, ids: readonly number[], symbols: number): Float64Array {
  const bits = new Float64Array(ids.length - 1);
  const steps = model.context ?? Math.max(1, Math.min(STEPS, Math.floor(MOST_LOGITS / symbols)));
  let state: State | null = null;
  for (let from = 0; from < bits.length; from += steps) {
    const seqLen = Math.min(steps, bits.length - from);
    const input = Int32Array.from(ids.slice(from, from + seqLen));
    const batch = { seqLen, batch: 1, input, targets: new Int32Array(0), lengths: null, continues: from > 0 };
    const result = evaluate(model, batch, 'every-step', model.context === null ? state : null);
    state = result.state;
    const logits = result.outputs.dataSync() as Float32Array;
    for (let t = 0; t < seqLen; t++) {
      const row = logits.subarray(t * symbols, (t + 1) * symbols);
      const most = row.reduce((max, value) => Math.max(max, value), Number.NEGATIVE_INFINITY);
      const sum = row.reduce((all, value) => all + Math.exp(value - most), 0);
      bits[from + t] = (most + Math.log(sum) - row[ids[from + t + 1]!]!) / Math.LN2;
    }
    result.outputs.dispose();
  }
  return bits;
}
