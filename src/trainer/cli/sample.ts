// unroll sample: text from a trained language model, as it is written.
import process from 'node:process';
import type { Command } from './command.ts';
import { EXIT } from './exit.ts';
import { plain } from './terminal.ts';
import { drawingOf, TRAINED_OPTIONS, trainedOf, writeRecord } from './trained.ts';

export const command: Command = {
  name: 'sample',
  operands: 'RUN',
  count: [1, 1],
  summary: 'Generate text with a trained language model (char-lm, word-lm, byte-lm), as it is written.',
  options: {
    length: {
      value: 'N',
      help: 'Characters, words or bytes to generate; default: training.sample.length of the run.',
    },
    temperature: {
      value: 'X',
      help: 'Below 1 safer, above 1 wilder, 0 always the likeliest; default: training.sample.temperature of the run.',
    },
    'top-k': { value: 'K', help: 'Draw among the K likeliest; default: all.' },
    'top-p': {
      value: 'P',
      help: 'Draw among the likeliest that together have the probability P, from 0 to 1; default: all.',
    },
    prompt: { value: 'TEXT', help: 'How the text begins; default: a line break.' },
    seed: { value: 'N', help: "The same seed gives the same text; default: the run's." },
    ...TRAINED_OPTIONS,
  },
  examples: [
    'unroll sample RUN --prompt "Emma " --length 300',
    'unroll sample RUN --seed 7 --temperature 0.5',
  ],
  async run(args) {
    const { folder, checkpoint } = trainedOf(args);
    const options = {
      length: args.number('length', { min: 1, max: 1_000_000, whole: true }),
      prompt: args.text('prompt'),
      checkpoint,
      ...drawingOf(args),
    };
    const { sampleText } = await import('../inference/sample.ts');
    if (args.flag('json')) {
      writeRecord({ kind: 'sample', run: folder, ...(await sampleText(folder, options)) });
      return EXIT.done;
    }
    const onText = (text: string) => void process.stdout.write(plain(text, true));
    await sampleText(folder, { ...options, onText });
    process.stdout.write('\n');
    return EXIT.done;
  },
};
