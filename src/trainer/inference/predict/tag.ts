// The tags that a trained model gives the tokens of a file; where it has them too, how often that is right.
import { basename } from 'node:path';
import { count, plural } from '../../../experiment/words.ts';
import { DataError } from '../../data/errors.ts';
import { readSentences } from '../../data/sentences.ts';
import type { Model } from '../../layers/model.ts';
import { areEntityTags, countEntities, entityFigures } from '../../tasks/entities.ts';
import { batchOf, encodeWith, type TagArtifact, tagsOf } from '../../tasks/tag.ts';
import { blocksOf } from './batches.ts';
import { type DecodeOptions, type Predicted, type Row, Rows } from './predictor.ts';

const BATCH = 64;

export async function predictTags(
  model: Model,
  artifact: TagArtifact,
  path: string,
  { sink }: DecodeOptions = {},
): Promise<Predicted> {
  const name = basename(path);
  const { sentences, notes, hasTags } = await sentencesOf(path, name, artifact);
  if (sentences.length === 0) throw new DataError(`${name} holds no sentence.`);
  const encode = encodeWith(artifact);
  const rows = new Rows(['sentence', 'word', ...(hasTags ? ['truth'] : []), 'prediction'], sink);
  const judge = new Judge(artifact);
  for (const { from, batches } of blocksOf(sentences.tokens.slice(0, sentences.length), BATCH)) {
    const block: Row[][] = [];
    for (const places of batches) {
      const own = places.map(place => sentences.at(place));
      const encoded = own.map(encode);
      const said = tagsOf(model, batchOf(encoded), artifact);
      own.forEach(({ words, tags }, row) => {
        const place = places[row]!;
        if (hasTags) judge.add(tags, said[row]!, encoded[row]!.unknown);
        block[place - from] = words.map(
          (word, t): Row => ({
            sentence: place + 1,
            word,
            ...(hasTags ? { truth: tags[t]! } : {}),
            prediction: said[row]![t]!,
          }),
        );
      });
    }
    await rows.add(block.flat());
  }
  return {
    columns: rows.columns,
    rows: rows.kept,
    next: [],
    notes,
    ...(hasTags ? judge.told() : { facts: { accuracy: null }, summary: null }),
  };
}

/** How often the tags are right, over all sentences. */
class Judge {
  private readonly sums = { tokens: 0, right: 0, unknown: 0, unknownRight: 0 };
  private readonly entities = { found: 0, there: 0, right: 0 };
  private readonly hasEntities: boolean;

  constructor({ tags }: TagArtifact) {
    this.hasEntities = areEntityTags(tags);
  }

  add(truth: readonly string[], said: readonly string[], unknown: Uint8Array): void {
    const { sums, entities } = this;
    truth.forEach((tag, t) => {
      const isRight = tag === said[t] ? 1 : 0;
      sums.tokens++;
      sums.right += isRight;
      sums.unknown += unknown[t]!;
      sums.unknownRight += unknown[t]! * isRight;
    });
    if (!this.hasEntities) return;
    const own = countEntities([...truth], [...said]);
    for (const part of ['found', 'there', 'right'] as const) entities[part] += own[part];
  }

  told(): Pick<Predicted, 'facts' | 'summary'> {
    const { sums, entities, hasEntities } = this;
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
