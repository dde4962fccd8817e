// The target that an encoder-decoder writes for one source, where it looks, and how sure it was of each unit.
import { basename } from 'node:path';
import { tidy } from '@tensorflow/tfjs-core';
import { beamSearch, greedy } from '../../layers/decode.ts';
import { encodedOf } from '../../layers/evaluate.ts';
import { batchOf, END, encodeWith, endsOf, type PairArtifact, textWith } from '../../tasks/pair-batches.ts';
import { unitsOf } from '../../tasks/units.ts';
import { drawnBy, pairsOf } from '../predict/seq2seq.ts';
import { look } from './look.ts';
import { drawingOf, NOTHING, percent, rowOf, standingOf, type Tryer, typed } from './tryer.ts';

/** Units whose alignment is still read in a picture. */
const MOST_ALIGNED = 64;

export const trySequences: Tryer<PairArtifact> = async (model, artifact, given, context) => {
  const { units, targetSymbols } = artifact;
  const { row, beams = 1 } = given;
  const drawing = beams > 1 ? undefined : drawingOf(given);
  const path = row === undefined ? null : context.dataFile();
  const own = path === null ? null : await pairsOf(path, basename(path), artifact);
  const pair = own && rowOf(own.pairs, row, 'pair');
  const source = pair?.source ?? unitsOf(typed(given, 'a source'), units);
  const text = textWith(artifact);
  const ends = endsOf(artifact);
  const encoded = encodeWith(artifact)({ source, target: [] });
  const symbols = tidy(() => {
    const states = encodedOf(model, batchOf([encoded], artifact), { training: false, step: 0 })!;
    if (beams > 1) return beamSearch(model, states, ends, { width: beams, lengthPenalty: 0 })[0]!.symbols;
    return greedy(model, 1, states, ends, drawing && drawnBy(drawing, [1]))[0]!;
  });
  // a target that was cut at the last position is not read to its end
  const most = Math.min(symbols.length + 1, model.lastPosition ?? Number.POSITIVE_INFINITY);
  const written = [...symbols, ends.end].slice(0, most);
  const batch = batchOf(
    [{ source: encoded.source, target: Int32Array.from(written.slice(0, -1)) }],
    artifact,
  );
  const steps = written.map(id => (id === ends.end ? END : targetSymbols[id]!));
  const probabilities: string[] = [];
  const { states, attention } = look(model, batch, context.run, {
    steps,
    source,
    onOutputs(_from, outputs, classes) {
      written.forEach((id, t) => {
        const logits = outputs.subarray(t * classes, (t + 1) * classes);
        probabilities.push(percent(standingOf(logits, id).probability));
      });
    },
  });
  const isAligned = attention !== null && Math.max(source.length, steps.length) <= MOST_ALIGNED;
  return {
    ...NOTHING,
    input: pair?.texts.source ?? given.text!,
    answer: text(symbols),
    truth: own?.hasTargets ? pair!.texts.target : null,
    table: {
      columns: ['unit', 'probability'],
      rows: steps.map((unit, t) => [unit, probabilities[t]!]),
    },
    attention: isAligned
      ? {
          source: [...source],
          target: steps,
          weights: steps.map((_, t) =>
            Array.from(attention.subarray(t * source.length, (t + 1) * source.length), weight =>
              Number(weight.toFixed(4)),
            ),
          ),
        }
      : null,
    states,
    row: row ?? null,
    rows: own?.pairs.length ?? null,
    notes: own?.notes ?? [],
  };
};
