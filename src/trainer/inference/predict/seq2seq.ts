// What a trained encoder-decoder writes for the sources of a table; where it has the targets, how often that is right.
import { basename } from 'node:path';
import { tidy } from '@tensorflow/tfjs-core';
import { plural } from '../../../experiment/words.ts';
import { DataError } from '../../data/errors.ts';
import { beamSearch, greedy, type Look } from '../../layers/decode.ts';
import { encodedOf } from '../../layers/evaluate.ts';
import type { Model } from '../../layers/model.ts';
import { randomStream } from '../../random.ts';
import { editDistance } from '../../tasks/edit-distance.ts';
import { draw } from '../../tasks/generate.ts';
import { batchOf, encodeWith, endsOf, type PairArtifact, textWith } from '../../tasks/pair-batches.ts';
import { type PairList, readPairs } from '../../tasks/pairs.ts';
import { blocksOf } from './batches.ts';
import { type DecodeOptions, type Predicted, type Row, Rows } from './predictor.ts';

const BATCH = 128;
/** As good as zero, for a softmax that divides by it. */
const COLDEST = 1e-6;

export async function predictSequences(
  model: Model,
  artifact: PairArtifact,
  path: string,
  { beams = 1, lengthPenalty = 0, drawing, sink }: DecodeOptions = {},
): Promise<Predicted> {
  const name = basename(path);
  const { pairs, notes, hasTargets } = await pairsOf(path, name, artifact);
  if (pairs.length === 0) throw new DataError(`${name} holds no source.`);
  const encode = encodeWith(artifact);
  const text = textWith(artifact);
  const ends = endsOf(artifact);
  const rows = new Rows(
    [
      'line',
      'source',
      ...(hasTargets ? ['truth'] : []),
      'prediction',
      ...(beams > 1 ? ['logProbability'] : []),
    ],
    sink,
  );
  let [right, edits, units] = [0, 0, 0];
  const size = beams > 1 ? 1 : BATCH;
  for (const { from, batches } of blocksOf(pairs.sourceSteps.slice(0, pairs.length), size)) {
    const block: Row[] = [];
    for (const places of batches) {
      const own = places.map(place => pairs.at(place));
      const batch = batchOf(own.map(encode), artifact);
      const answers = tidy(() => {
        const encoded = encodedOf(model, batch, { training: false, step: 0 })!;
        const look =
          drawing &&
          drawnBy(
            drawing,
            own.map(({ line }) => line),
          );
        if (beams === 1) return greedy(model, batch.batch, encoded, ends, look).map(symbols => ({ symbols }));
        return beamSearch(model, encoded, ends, { width: beams, lengthPenalty }).slice(0, 1);
      });
      own.forEach(({ line, texts, target }, row) => {
        const { symbols, ...rest } = answers[row]!;
        const written = symbols.map(id => artifact.targetSymbols[id]!);
        const distance = editDistance(written, target);
        if (distance === 0) right++;
        edits += distance;
        units += target.length;
        block[places[row]! - from] = {
          line,
          source: texts.source,
          ...(hasTargets ? { truth: texts.target } : {}),
          prediction: text(symbols),
          ...rest,
        };
      });
    }
    await rows.add(block);
  }
  const accuracy = right / rows.count;
  return {
    columns: rows.columns,
    rows: rows.kept,
    next: [],
    notes,
    facts: hasTargets
      ? { sequenceAccuracy: accuracy, tokenErrorRate: edits / units }
      : { sequenceAccuracy: null, tokenErrorRate: null },
    summary: hasTargets
      ? `${plural(right, 'sequence')} of ${rows.count.toLocaleString('en-US')} right: sequence accuracy ${(100 * accuracy).toFixed(1)} %, token error rate ${((100 * edits) / units).toFixed(1)} %.`
      : null,
  };
}

/** Each line has a stream of its own, so that its answer depends on no other line. */
export function drawnBy(
  { seed, temperature, ...rest }: NonNullable<DecodeOptions['drawing']>,
  lines: readonly number[],
): Look {
  const streams = lines.map(line => randomStream(seed, 'predict/drawing', line));
  const options = { ...rest, temperature: Math.max(temperature, COLDEST) };
  return {
    choose: (logits, row, classes) =>
      draw(logits.subarray(row * classes, (row + 1) * classes), options, streams[row]!.uniform()),
  };
}

/** A file of sources alone is read too. */
export async function pairsOf(
  path: string,
  name: string,
  { source, target, header, units, targetUnits }: PairArtifact,
): Promise<{ pairs: PairList; notes: string[]; hasTargets: boolean }> {
  const common = { path: name, source, units, targetUnits, ...(header === null ? {} : { header }) };
  try {
    return { ...(await readPairs(path, { ...common, target })), hasTargets: true };
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    const own = await readPairs(path, { ...common, target: null }).catch(() => null);
    if (!own) throw cause;
    return { ...own, hasTargets: false };
  }
}
