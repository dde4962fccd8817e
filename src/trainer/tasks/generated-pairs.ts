// Generated tasks of a source and a target: a rule draws one pair, and batches, loss, scores and samples are those of any
// pairs. A source belongs to training, validation or test by a hash of its text, so that no pair of a held part is trained
// on. Baseline: each symbol and the end alike.
import { knownSizes } from '../../experiment/models.ts';
import type { Experiment } from '../../experiment/schema.ts';
import { ADDITION_SYMBOLS, lettersOf } from '../../experiment/tasks/generated-pairs.ts';
import { type DataOf, type TaskName, taskOf } from '../../experiment/tasks/index.ts';
import { plural } from '../../experiment/words.ts';
import { UNKNOWN } from '../data/text.ts';
import { softmaxCrossEntropy } from '../engine/losses.ts';
import { type RandomStream, randomStream } from '../random.ts';
import { forcingAt, sampledInputs } from './forcing.ts';
import type { Part } from './generated.ts';
import type { TaskModule } from './module.ts';
import {
  batchOf,
  END,
  encodeWith,
  type PairArtifact,
  pairArtifact,
  pairFault,
  START,
  sizesFor,
} from './pair-batches.ts';
import { pairSample, type ShownPair } from './pair-sample.ts';
import { pairFigures, scoreForced, scoreFree } from './pair-scores.ts';
import type { Batch, Task } from './task.ts';

type PairTask = Extract<TaskName, 'copy' | 'reverse' | 'sort' | 'addition'>;
type HeldPart = 'training' | 'validation' | 'test';

interface Rule {
  symbols: { source: readonly string[]; target: readonly string[] };
  draw(random: RandomStream, part: Part): { source: string; target: string };
  describe(part: Part): string;
}

const HELD_SEQUENCES = 256;
const SHOWN_PAIRS = 8;
/** Where the drawn sources are so few that none of a part is found, any will do. */
const MOST_DRAWS = 200;

function pairTask<T extends PairTask>(task: T, ruleOf: (data: DataOf<T>) => Rule) {
  const module: TaskModule<T, ReturnType<typeof pairArtifact<T>>> = {
    artifact: pairArtifact(task),
    open: (experiment, data) => openPairs(experiment, data, ruleOf(data)),
    sizes: own => sizesFor(own as unknown as PairArtifact),
    fault: own => pairFault(own as unknown as PairArtifact),
  };
  return module;
}

function openPairs<T extends PairTask>(experiment: Experiment, data: DataOf<T>, rule: Rule): Task {
  const { batchSize, seed, validation, teacherForcing, steps: trainingSteps } = experiment.training;
  const { length, testLength = length } = data as { length: number; testLength?: number };
  const kind = taskOf(data);
  const sizes = knownSizes(experiment)!;
  const artifact: PairArtifact = {
    task: data.task,
    source: 0,
    target: 1,
    header: null,
    units: 'characters',
    targetUnits: 'characters',
    sourceSymbols: [...rule.symbols.source, UNKNOWN],
    targetSymbols: [...rule.symbols.target, UNKNOWN, START, END],
    maxSource: sizes.steps!,
    maxTarget: sizes.steps! - 1,
  };
  const encode = encodeWith(artifact);
  const pairs = (rows: number, purpose: string, index: number, from: Part, held: HeldPart): ShownPair[] => {
    const random = randomStream(seed, purpose, index);
    return Array.from({ length: rows }, () => {
      const texts = drawn(rule, random, from, held);
      return { texts, ...encode({ source: [...texts.source], target: [...texts.target] }) };
    });
  };
  const [part, tested] = [
    { length, above: 0 },
    { length: testLength, above: testLength > length ? length : 0 },
  ];
  const batches = Math.min(validation.maxBatches, Math.ceil(HELD_SEQUENCES / batchSize));
  const batch = (index: number, from: Part, held: HeldPart): Batch =>
    batchOf(pairs(batchSize, `data/${held}`, index, from, held), artifact);
  const held = function* (from: Part, which: HeldPart) {
    for (let index = 0; index < batches; index++) yield batch(index, from, which);
  };
  const seqLen = kind.steps(data, experiment.training);
  return {
    facts: {
      name: data.task,
      lossUnit: 'nats',
      baseline: { loss: Math.log(rule.symbols.target.length + 1), name: 'all symbols alike' },
      seqLen,
      batchSize,
      tokensPerStep: batchSize * seqLen,
      notes: [
        `${rule.describe(part)}, drawn anew for every training step; ${plural(batches * batchSize, 'fixed pair')} for validation. No source of validation or test is trained on.`,
        ...(testLength === length ? [] : [`Test: ${rule.describe(tested)}, with the best weights.`]),
      ],
    },
    sizes,
    outputs: 'every-step',
    stream: false,
    trainingBatch: step => batch(step, part, 'training'),
    ...(teacherForcing && {
      sampledBatch: (model, own, step) =>
        sampledInputs(model, own, forcingAt(teacherForcing, step, trainingSteps), { seed, step }),
    }),
    epochOf: () => 0,
    validationBatches: batches,
    validation: () => held(part, 'validation'),
    test: () => held(tested, 'test'),
    loss: (outputs, targets, weights) => softmaxCrossEntropy(outputs, targets as Int32Array, weights),
    score: scoreForced,
    run: (model, own, score) => scoreFree(model, own, score, artifact),
    metrics: pairFigures,
    sample: model =>
      pairSample(
        model,
        artifact,
        pairs(SHOWN_PAIRS, 'data/validation', 0, part, 'validation'),
        held(part, 'validation'),
      ),
    artifact: () => ({ ...artifact }),
  };
}

/** A pair of this part. */
function drawn(rule: Rule, random: RandomStream, from: Part, held: HeldPart) {
  let pair = rule.draw(random, from);
  for (let time = 1; time < MOST_DRAWS && partOf(pair.source) !== held; time++)
    pair = rule.draw(random, from);
  return pair;
}

/** A tenth of all sources each for validation and test, by FNV-1a. */
export function partOf(source: string): HeldPart {
  let hash = 0x811c9dc5;
  for (let at = 0; at < source.length; at++) hash = Math.imul(hash ^ source.charCodeAt(at), 0x01000193);
  // FNV's low bits are weak: they are mixed with the high ones
  const share = ((hash ^ (hash >>> 15)) >>> 0) % 10;
  return share === 0 ? 'validation' : share === 1 ? 'test' : 'training';
}

type LetterData = { symbols: number };

function letterTask<T extends 'copy' | 'reverse' | 'sort'>(
  task: T,
  answer: (letters: readonly string[]) => readonly string[],
) {
  return pairTask(task, (data): Rule => {
    const letters = lettersOf(data as unknown as LetterData);
    return {
      symbols: { source: letters, target: letters },
      draw(random, { length, above }) {
        const source = Array.from(
          { length: above + 1 + random.int(length - above) },
          () => letters[random.int(letters.length)]!,
        );
        return { source: source.join(''), target: answer(source).join('') };
      },
      describe: ({ length, above }) => `Sources of ${above + 1} to ${plural(length, 'letter')}`,
    };
  });
}

export const copy = letterTask('copy', letters => letters);
export const reverse = letterTask('reverse', letters => [...letters].reverse());
export const sort = letterTask('sort', letters => [...letters].sort());

/**
 * `draw` "digits": numbers of 1 to `length` digits, each count as likely, and each number of it (W. Zaremba, I. Sutskever,
 * 2014); "numbers": each number below 10^length as likely.
 */
export const addition = pairTask('addition', ({ draw: law }) => ({
  symbols: { source: ADDITION_SYMBOLS, target: ADDITION_SYMBOLS.slice(0, 10) },
  draw(random, { length, above }) {
    // of the test's longer pairs the first number at least is longer
    const number = (least: number) => {
      if (law === 'numbers') return below(random, least === 1 ? 0 : 10 ** (least - 1), 10 ** length);
      const digits = least + random.int(length - least + 1);
      const text = Array.from({ length: digits }, (_, at) =>
        String(at === 0 && digits > 1 ? 1 + random.int(9) : random.int(10)),
      ).join('');
      return Number(text);
    };
    const [a, b] = [number(above + 1), number(1)];
    return { source: `${a}+${b}`, target: String(a + b) };
  },
  describe: ({ length, above }) =>
    `Numbers of ${above + 1} to ${plural(length, 'digit')}${law === 'numbers' ? ', each number as likely' : ''}`,
}));

/** A whole number from `from` up to but not including `to`, of at most 15 digits. */
function below(random: RandomStream, from: number, to: number): number {
  const [span, half] = [to - from, 10 ** 8];
  if (span <= half) return from + random.int(span);
  // two draws make a number below a multiple of 10^8; what lies beyond the span is drawn anew
  for (;;) {
    const drawn = random.int(Math.ceil(span / half)) * half + random.int(half);
    if (drawn < span) return from + drawn;
  }
}
