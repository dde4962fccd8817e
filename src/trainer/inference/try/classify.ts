// The class of one text, series or sound.
import type { ClassifyArtifact } from '../../tasks/classify.ts';
import { encodeWith, padded } from '../../tasks/classify.ts';
import { likeliest } from '../../tasks/stepping.ts';
import { answersOf } from '../../tasks/values.ts';
import { sequencesOf } from '../predict/classify.ts';
import { inputOf } from './labelled-input.ts';
import { look } from './look.ts';
import { NOTHING, type Tryer } from './tryer.ts';

export const tryClasses: Tryer<ClassifyArtifact> = async (model, artifact, given, context) => {
  const { classes, columns } = artifact;
  const { values, ...about } = await inputOf(artifact, path => sequencesOf(artifact, path), given, context);
  const read = encodeWith(artifact)(values);
  const batch = {
    ...padded([read], columns.length || 1),
    targets: new Int32Array(0),
    continues: false,
  };
  const likely = likeliest(answersOf(model, batch)).map(({ id, probability }) => ({
    label: classes[id]!,
    probability,
  }));
  const { states } = look(model, batch, context.run, { steps: Array.isArray(values) ? values : [] });
  return { ...NOTHING, ...about, answer: likely[0]!.label, of: 'class', likely, states };
};
