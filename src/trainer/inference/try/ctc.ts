// The labels that one text, series or sound holds, with the steps at which each is said.
import type { CtcArtifact } from '../../tasks/ctc.ts';
import { answered, batchOf, encodeWith } from '../../tasks/ctc.ts';
import { likeliest } from '../../tasks/stepping.ts';
import { unalignedOf } from '../predict/ctc.ts';
import { inputOf } from './labelled-input.ts';
import { look } from './look.ts';
import { NOTHING, percent, type Tryer } from './tryer.ts';

const MOST_STEPS = 1000;

export const tryUnaligned: Tryer<CtcArtifact> = async (model, artifact, given, context) => {
  const { values, ...about } = await inputOf(
    { ...artifact, units: artifact.textUnits },
    path => unalignedOf(artifact, path),
    given,
    context,
  );
  const batch = batchOf([encodeWith(artifact)({ values, label: '' })], artifact);
  const [answer] = answered(model, batch, artifact, given.beams ?? 1);
  const rows: string[][] = [];
  const { states } = look(model, batch, context.run, {
    steps: Array.isArray(values) ? values : [],
    onOutputs(from, outputs, classes) {
      for (let at = 0; at < outputs.length && rows.length < MOST_STEPS; at += classes) {
        const [best] = likeliest(outputs.subarray(at, at + classes));
        rows.push([String(from + at / classes + 1), artifact.symbols[best!.id]!, percent(best!.probability)]);
      }
    },
  });
  return {
    ...NOTHING,
    ...about,
    answer: answer!.text,
    table: { columns: ['step', 'label', 'probability'], rows },
    states,
    notes: [...about.notes, `Alignment: ${answer!.alignment} at steps ${answer!.steps}.`],
  };
};
