// unroll sample: a trained character model writes on from a prompt.
import { plural } from '../../experiment/words.ts';
import { BadRunError } from '../../runs/errors.ts';
import { UNKNOWN } from '../data/text.ts';
import { randomStream } from '../random.ts';
import { generate } from '../tasks/char-lm.ts';
import { InputError } from '../training/prepare.ts';
import { loadModel, openFinishedRun, type WhichCheckpoint } from './finished-run.ts';

export interface SampleOptions {
  /** characters to write */
  length?: number;
  /** 0: always the likeliest character */
  temperature?: number;
  prompt?: string;
  seed?: number;
  checkpoint?: WhichCheckpoint;
}

export interface SampledText {
  prompt: string;
  text: string;
  temperature: number;
  seed: number;
  /** training steps of the checkpoint */
  step: number;
  best: boolean;
}

/** As good as zero, for a softmax that divides by it. */
const COLDEST = 1e-6;

/** The same run, options and seed give the same text. @throws BadRunError, InputError */
export async function sampleText(folder: string, options: SampleOptions = {}): Promise<SampledText> {
  const opened = openFinishedRun(folder, options.checkpoint);
  const { artifact, run, step, best } = opened;
  if (artifact.task !== 'char-lm')
    throw new InputError(
      `This run learned "${artifact.task}"; text is written by runs of "char-lm".${artifact.task === 'forecast' ? ' Use `unroll predict RUN FILE`.' : ''}`,
    );
  const defaults = run.experiment.training;
  const length = options.length ?? defaults.sample.length;
  const temperature = options.temperature ?? defaults.sample.temperature;
  const seed = options.seed ?? defaults.seed;
  const prompt = options.prompt || defaults.sample.prompt || startOf(artifact.symbols);
  const ids = encode(prompt, artifact.symbols);
  const model = await loadModel(opened);
  try {
    const random = randomStream(seed, 'sample/asked', 0);
    const writing = generate(model, ids, { length, temperature: Math.max(temperature, COLDEST), random });
    let turn = writing.next();
    while (!turn.done) turn = writing.next();
    const text = length > 0 ? turn.value.map(id => artifact.symbols[id]).join('') : '';
    return { prompt, text, temperature, seed, step, best };
  } finally {
    model.dispose();
  }
}

/** A new line, where the text has lines. */
function startOf(symbols: readonly string[]): string {
  const symbol = ['\n', ' '].find(each => symbols.includes(each)) ?? symbols[0];
  if (symbol === undefined) throw new BadRunError('The run has an empty vocabulary.');
  return symbol;
}

function encode(prompt: string, symbols: readonly string[]): number[] {
  const idOf = new Map(symbols.map((symbol, id) => [symbol, id]));
  const unknown = idOf.get(UNKNOWN);
  const strangers = [...new Set(prompt)].filter(symbol => !idOf.has(symbol));
  if (strangers.length > 0 && unknown === undefined)
    throw new InputError(
      `The prompt holds ${strangers
        .slice(0, 5)
        .map(symbol => JSON.stringify(symbol))
        .join(
          ', ',
        )}, which ${strangers.length === 1 ? 'is' : 'are'} not among the ${plural(symbols.length, 'character')} of this run's text.`,
    );
  return Array.from(prompt, symbol => idOf.get(symbol) ?? unknown!);
}
