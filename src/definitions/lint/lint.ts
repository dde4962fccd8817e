// All that can be said of model definitions from their text alone.
import type { Language, Tree } from '../code/syntax.ts';
import type { Definitions } from '../definition.ts';
import { atOnce, type Steps } from '../steps.ts';
import { bidirectionalGeneration } from './bidirectional-generation.ts';
import { denseClasses } from './classes.ts';
import { missingClipping } from './clipping.ts';
import { embeddingWeights } from './embedding-weights.ts';
import type { Rule, SteppedRule, TextFinding } from './finding.ts';
import { fitData } from './fit-data.ts';
import { fusedKernel } from './keras-fused-kernel.ts';
import { lastOfPadded, wrongDimension } from './last-step.ts';
import { receptiveField } from './receptive-field.ts';
import { batchInInputShape, fourDimensions, inputShapeRank, noSequence } from './recurrent-input.ts';
import { reluInitialization } from './relu-initialization.ts';
import { missingReturnSequences } from './return-sequences.ts';
import { impossibleSize } from './sizes.ts';
import { LintSource } from './source.ts';
import { statefulBatchSize } from './stateful.ts';
import { lstmDefaults, resetAfter } from './tfjs-options.ts';
import { dropoutOfOneLayer, recurrentDropoutUnknown } from './torch-options.ts';
import { torchWidths } from './torch-widths.ts';
import { missingStep, missingZeroGrad } from './training-loop.ts';

export type { TextEdit, TextFinding, TextFix } from './finding.ts';

const RULES: readonly (Rule | SteppedRule)[] = [
  recurrentDropoutUnknown,
  dropoutOfOneLayer,
  missingReturnSequences,
  fusedKernel,
  resetAfter,
  lstmDefaults,
  reluInitialization,
  wrongDimension,
  lastOfPadded,
  missingClipping,
  missingZeroGrad,
  missingStep,
  bidirectionalGeneration,
  receptiveField,
  inputShapeRank,
  batchInInputShape,
  fourDimensions,
  noSequence,
  statefulBatchSize,
  denseClasses,
  embeddingWeights,
  fitData,
  impossibleSize,
  torchWidths,
];

/** In the order of the text. `definitions` are those of the same tree. */
export function lint(tree: Tree, definitions: Definitions, text: string, language: Language): TextFinding[] {
  return atOnce(lintInSteps(tree, definitions, text, language));
}

export function* lintInSteps(
  tree: Tree,
  definitions: Definitions,
  text: string,
  language: Language,
): Steps<TextFinding[]> {
  const source = new LintSource(tree, definitions, text, language);
  const found: Omit<TextFinding, 'page'>[] = [];
  for (const rule of RULES) {
    const said = rule(source);
    found.push(...(Array.isArray(said) ? said : yield* said));
    yield;
  }
  return found
    .map(finding => ({ ...finding, page: `docs/lint.md#${finding.id}` }))
    .sort((a, b) => a.range.offset - b.range.offset);
}
