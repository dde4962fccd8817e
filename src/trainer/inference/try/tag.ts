// The tag of each token of one sentence.
import { basename } from 'node:path';
import { chainIn } from '../../layers/crf.ts';
import { likeliest } from '../../tasks/stepping.ts';
import type { TagArtifact } from '../../tasks/tag.ts';
import { batchOf, encodeWith, tagsOf } from '../../tasks/tag.ts';
import { unitsOf } from '../../tasks/units.ts';
import { sentencesOf } from '../predict/tag.ts';
import { look } from './look.ts';
import { NOTHING, percent, rowOf, type Tryer, typed } from './tryer.ts';

export const tryTags: Tryer<TagArtifact> = async (model, artifact, given, context) => {
  const { row } = given;
  const own = row === undefined ? null : await dataOf(artifact, context.dataFile());
  const taken = own && rowOf(own.sentences, row, 'sentence');
  const words = taken?.words ?? unitsOf(typed(given, 'a sentence'), 'words');
  const truth = own?.hasTags ? taken!.tags : null;
  const batch = batchOf([encodeWith(artifact)({ words, tags: [] })]);
  const [tags] = tagsOf(model, batch, artifact);
  // a chain of tags has no probability for each by itself
  const probabilities: string[] = [];
  const hasChain = Boolean(chainIn(model));
  const { states } = look(model, batch, context.run, {
    steps: words,
    onOutputs(_from, outputs, classes) {
      for (let at = 0; at < outputs.length; at += classes)
        probabilities.push(percent(likeliest(outputs.subarray(at, at + classes))[0]!.probability));
    },
  });
  return {
    ...NOTHING,
    input: words.join(' '),
    table: {
      columns: ['token', 'tag', ...(hasChain ? [] : ['probability']), ...(truth ? ['truth'] : [])],
      rows: words.map((word, t) => [
        word,
        tags![t]!,
        ...(hasChain ? [] : [probabilities[t]!]),
        ...(truth ? [truth[t]!] : []),
      ]),
    },
    states,
    row: row ?? null,
    rows: own?.sentences.length ?? null,
    notes: own?.notes ?? [],
  };
};

function dataOf(artifact: TagArtifact, path: string) {
  return sentencesOf(path, basename(path), artifact);
}
