// unroll sample: text from a trained language model, as it is written, or the rows that a forecaster says follow its data.
import process from 'node:process';
import type { Arguments, Command } from './command.ts';
import { CommandError, EXIT, type ExitCode } from './exit.ts';
import { plain } from './terminal.ts';
import {
  drawingOf,
  say,
  TRAINED_OPTIONS,
  type Trained,
  trainedOf,
  writeCsv,
  writeRecord,
} from './trained.ts';

/** Options that only text has. */
const OF_TEXT = ['length', 'temperature', 'top-k', 'top-p', 'prompt', 'seed'];

export const command: Command = {
  name: 'sample',
  operands: 'RUN',
  count: [1, 1],
  summary:
    'Generate text with a trained language model (char-lm, word-lm, byte-lm), as it is written; of a forecast, the rows that follow its own data, as CSV.',
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
    const trained = trainedOf(args);
    const { folder, checkpoint } = trained;
    const { artifactIfThere } = await import('../tasks/artifact.ts');
    const { foretells } = await import('../inference/predict/index.ts');
    if (foretells(artifactIfThere(folder)?.task ?? '')) return sampleForecast(trained, args);
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

/** What `unroll predict --next` says of the data that the run learned from. */
async function sampleForecast({ folder, checkpoint }: Trained, args: Arguments): Promise<ExitCode> {
  const strange = OF_TEXT.find(option => args.text(option) !== undefined);
  if (strange)
    throw new CommandError(
      `--${strange} is of language models; a forecast has the rows of its horizon, and nothing of them is drawn.`,
    );
  const { predictOwnData } = await import('../inference/predict/index.ts');
  const { columns, next, notes, facts, step, best } = await predictOwnData(folder, { checkpoint });
  if (args.flag('json')) writeRecord({ kind: 'sample', run: folder, ...facts, step, best, notes, next });
  else {
    const told = columns.filter(column => next.some(row => row[column] !== undefined));
    writeCsv(told.length > 0 ? told : columns, next);
    for (const note of notes) say(note);
  }
  return EXIT.done;
}
