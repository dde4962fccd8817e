// unroll sample: a trained language model writes on from a prompt.
import { plural } from '../../experiment/words.ts';
import type { Model } from '../layers/model.ts';
import { randomStream } from '../random.ts';
import { generate } from '../tasks/generate.ts';
import { codecOf } from '../tasks/index.ts';
import type { Codec } from '../tasks/language.ts';
import { InputError } from '../training/prepare.ts';
import { type FinishedRun, loadModel, useFinishedRun, type WhichCheckpoint } from './finished-run.ts';

export interface SampleOptions {
  /** symbols to write */
  length?: number | undefined;
  /** 0: always the likeliest symbol */
  temperature?: number | undefined;
  topK?: number | undefined;
  topP?: number | undefined;
  prompt?: string | undefined;
  seed?: number | undefined;
  checkpoint?: WhichCheckpoint | undefined;
  /** hears of the prompt, then of each piece of text as it is written */
  onText?: ((text: string) => void) | undefined;
  /** hears of each symbol as it is drawn */
  onSymbol?: ((id: number) => void) | undefined;
}

export interface SampledText {
  prompt: string;
  text: string;
  temperature: number;
  topK: number | null;
  topP: number | null;
  seed: number;
  /** training steps of the checkpoint */
  step: number;
  best: boolean;
}

/** As good as zero, for a softmax that divides by it. */
const COLDEST = 1e-6;

/** The same run, options and seed give the same text. @throws BadRunError, InputError */
export async function sampleText(folder: string, options: SampleOptions = {}): Promise<SampledText> {
  const opened = await useFinishedRun(folder, options.checkpoint);
  // a prompt that cannot be read is told before the weights are
  promptedBy(opened, options);
  const model = await loadModel(opened);
  try {
    const writing = writeText(model, opened, options);
    for (;;) {
      const { done, value } = writing.next();
      if (done) return value;
    }
  } finally {
    model.dispose();
  }
}

/** @throws InputError for a run that writes no text, or a prompt that it cannot read */
function promptedBy({ artifact, run }: FinishedRun, options: SampleOptions) {
  const codec = codecOf(artifact);
  if (!codec)
    throw new InputError(
      `This run learned "${artifact.task}"; text is written by runs of language models. Use \`unroll predict RUN FILE\`.`,
    );
  const prompt = options.prompt || run.experiment.training.sample.prompt || codec.start;
  return { codec, prompt, ids: encode(prompt, codec) };
}

/** Symbol after symbol; the model stays the caller's. @throws InputError */
export function* writeText(
  model: Model,
  opened: FinishedRun,
  options: SampleOptions,
): Generator<undefined, SampledText> {
  const { run, step, best } = opened;
  const { codec, prompt, ids } = promptedBy(opened, options);
  const { sample, seed: ownSeed } = run.experiment.training;
  const length = options.length ?? sample.length;
  const temperature = options.temperature ?? sample.temperature;
  const topK = options.topK ?? sample.topK;
  const topP = options.topP ?? sample.topP;
  const seed = options.seed ?? ownSeed;
  options.onText?.(prompt);
  const writer = codec.writer();
  for (const id of ids) writer.add(id);
  let text = '';
  const say = (piece: string) => {
    text += piece;
    if (piece) options.onText?.(piece);
  };
  yield* generate(model, ids, {
    length,
    temperature: Math.max(temperature, COLDEST),
    topK,
    topP,
    without: codec.unwritten,
    random: randomStream(seed, 'sample/asked', 0),
    onSymbol(id) {
      options.onSymbol?.(id);
      say(writer.add(id));
    },
  });
  say(writer.end());
  return { prompt, text, temperature, topK: topK ?? null, topP: topP ?? null, seed, step, best };
}

/** @throws InputError for what the model does not know */
function encode(prompt: string, codec: Codec): number[] {
  const { ids, strangers } = codec.encode(prompt);
  if (strangers.length === 0 && ids.length > 0) return ids;
  if (strangers.length === 0) throw new InputError(`The prompt holds no ${codec.unit} to begin with.`);
  const shown = strangers.slice(0, 5).map(symbol => JSON.stringify(symbol));
  throw new InputError(
    `The prompt holds ${shown.join(', ')}, which ${strangers.length === 1 ? 'is' : 'are'} not among the ${plural(codec.symbols, codec.unit)} of this run's text.`,
  );
}
