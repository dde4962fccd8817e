// The tags that a trained model gives the tokens of a file; where it has them too, how often that is right.
import { basename } from 'node:path';
import { count, plural } from '../../../experiment/words.ts';
import type { Sentence } from '../../data/conll.ts';
import { DataError } from '../../data/errors.ts';
import { readSentences } from '../../data/sentences.ts';
import type { Model } from '../../layers/model.ts';
import { areEntityTags, countEntities, entityFigures } from '../../tasks/entities.ts';
import { batchOf, encodeWith, type TagArtifact, tagsOf } from '../../tasks/tag.ts';
import { longestFirst } from './batches.ts';
import type { Predicted, Row } from './predictor.ts';

const BATCH = 64;

export async function predictTags(model: Model, artifact: TagArtifact, path: string): Promise<Predicted> {
  const name = basename(path);
  const { sentences, notes, hasTags } = await sentencesOf(path, name, artifact);
  if (sentences.length === 0) throw new DataError(`${name} holds no sentence.`);
  const encode = encodeWith(artifact);
  const encoded = sentences.map(encode);
  const answers: string[][] = [];
  // told in the order of the file
  for (const places of longestFirst(
    encoded.map(({ tokens }) => tokens),
    BATCH,
  )) {
    const said = tagsOf(model, batchOf(places.map(place => encoded[place]!)), artifact);
    places.forEach((place, row) => {
      answers[place] = said[row]!;
    });
  }
  const rows = sentences.flatMap(({ words, tags }, sentence) =>
    words.map(
      (word, t): Row => ({
        sentence: sentence + 1,
        word,
        ...(hasTags ? { truth: tags[t]! } : {}),
        prediction: answers[sentence]![t]!,
      }),
    ),
  );
  return {
    columns: ['sentence', 'word', ...(hasTags ? ['truth'] : []), 'prediction'],
    rows,
    next: [],
    notes,
    ...(hasTags
      ? judged(sentences, answers, encoded, artifact)
      : { facts: { accuracy: null }, summary: null }),
  };
}

function judged(
  sentences: readonly Sentence[],
  answers: readonly string[][],
  encoded: readonly { unknown: Uint8Array }[],
  artifact: TagArtifact,
): Pick<Predicted, 'facts' | 'summary'> {
  const sums = { tokens: 0, right: 0, unknown: 0, unknownRight: 0 };
  const entities = { found: 0, there: 0, right: 0 };
  const hasEntities = areEntityTags(artifact.tags);
  sentences.forEach(({ tags }, sentence) => {
    const said = answers[sentence]!;
    tags.forEach((tag, t) => {
      const isRight = tag === said[t] ? 1 : 0;
      const isUnknown = encoded[sentence]!.unknown[t]!;
      sums.tokens++;
      sums.right += isRight;
      sums.unknown += isUnknown;
      sums.unknownRight += isUnknown * isRight;
    });
    if (!hasEntities) return;
    const own = countEntities(tags, said);
    for (const part of ['found', 'there', 'right'] as const) entities[part] += own[part];
  });
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const accuracy = sums.right / sums.tokens;
  const unknownAccuracy = sums.unknown > 0 ? sums.unknownRight / sums.unknown : null;
  const { precision, recall, f1 } = entityFigures(entities);
  const told = [
    `${plural(sums.right, 'token')} of ${count(sums.tokens)} right: accuracy ${percent(accuracy)}`,
  ];
  if (unknownAccuracy !== null)
    told.push(
      `${percent(unknownAccuracy)} of the unknown words, which are ${percent(sums.unknown / sums.tokens)}`,
    );
  if (hasEntities)
    told.push(`entities: precision ${percent(precision)}, recall ${percent(recall)}, F1 ${percent(f1)}`);
  return {
    facts: {
      accuracy,
      unknownAccuracy,
      unknownShare: sums.unknown / sums.tokens,
      ...(hasEntities ? { entityF1: f1, entityPrecision: precision, entityRecall: recall } : {}),
    },
    summary: `${told.join('; ')}.`,
  };
}

/** A file without the column of tags is read too. */
export async function sentencesOf(path: string, name: string, { column, words }: TagArtifact) {
  const common = { path: name, words: words ?? undefined };
  try {
    return { ...(await readSentences(path, { ...common, tags: column })), hasTags: true };
  } catch (cause) {
    if (!(cause instanceof DataError) || !/there is no column|has no column/.test(cause.message)) throw cause;
    return { ...(await readSentences(path, { ...common, tags: null })), hasTags: false };
  }
}
