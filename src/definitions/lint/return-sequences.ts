// Keras and TensorFlow.js: a recurrent layer on top of one that gives its last step only.
import { setArgument } from './edits.ts';
import type { Rule } from './finding.ts';
import { stackedPairs } from './neighbours.ts';
import { nameOf, rangeOf } from './source.ts';

export const missingReturnSequences: Rule = source =>
  stackedPairs(source).flatMap(({ first, second }) => {
    const { recurrent, framework, isWhole } = first.layer;
    if (!isWhole || recurrent?.returnSequences?.value !== false) return [];
    const name = framework === 'tfjs' ? 'returnSequences' : 'return_sequences';
    const given = recurrent.returnSequences.text !== '';
    const edit = setArgument(source, first.call, name, source.isPython ? 'True' : 'true');
    return {
      id: 'missing-return-sequences',
      severity: 'warning',
      message: `This ${nameOf(first.layer)} gives its last time step only (${name} ${given ? 'is' : 'defaults to'} ${source.isPython ? 'False' : 'false'}), but the ${nameOf(second.layer)} in line ${second.layer.range.line} needs every step: building the model fails.`,
      range: given ? recurrent.returnSequences.range! : rangeOf(first.call.callee.node),
      fixes: edit ? [{ title: `Return every step: ${name}`, edits: [edit] }] : [],
    };
  });
