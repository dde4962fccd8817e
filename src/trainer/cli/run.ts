// From the words of a command line to an exit code. Commands are loaded when they are run.
import process from 'node:process';
import { nearest } from '../../experiment/words.ts';
import { unrollVersion } from '../version.ts';
import { type Command, columns, helpColumns, helpOf, parseArguments } from './command.ts';
import { CommandError, EXIT, type ExitCode, explain } from './exit.ts';
import { endOnInterrupts } from './interrupts.ts';
import { screenOf, wrap } from './terminal.ts';

interface Entry {
  summary: string;
  /** interrupts end it as a run that was stopped, while it is loaded too; others end by the signal itself */
  trains?: boolean;
  load(): Promise<{ command: Command }>;
}

/** In the order of the help. A new command is its file and a line here. */
const commands: Readonly<Record<string, Entry>> = {
  train: {
    summary: 'Train the model of an experiment file.',
    trains: true,
    load: () => import('./train.ts'),
  },
  resume: {
    summary: 'Go on with a stopped or crashed run.',
    trains: true,
    load: () => import('./resume.ts'),
  },
  show: { summary: 'Draw loss and gradient flow of a run.', load: () => import('./show.ts') },
  compare: { summary: 'Compare runs in a table.', load: () => import('./compare.ts') },
  sample: { summary: 'Generate text with a trained language model.', load: () => import('./sample.ts') },
  predict: { summary: 'Tell what a trained run says of a file.', load: () => import('./predict.ts') },
  evaluate: {
    summary: 'Score a run on its test part or on other data.',
    load: () => import('./evaluate.ts'),
  },
  serve: {
    summary: 'Answer with a trained run over HTTP on this machine.',
    load: () => import('./serve.ts'),
  },
  data: { summary: 'Tell what a data file holds.', load: () => import('./data.ts') },
  export: { summary: 'Write a run for other tools.', load: () => import('./export.ts') },
  params: { summary: 'Count parameters of RNN, GRU and LSTM.', load: () => import('./params.ts') },
  check: { summary: 'Check an experiment file.', load: () => import('./check.ts') },
  definitions: {
    summary: 'List recurrent layers in TensorFlow.js, Keras and PyTorch files.',
    load: () => import('./definitions.ts'),
  },
  bench: { summary: 'Measure how long a training step takes.', load: () => import('./bench.ts') },
};

const hidden: typeof commands = {
  work: { summary: 'Train queued runs.', trains: true, load: () => import('./work.ts') },
  try: { summary: 'Answer to one input.', load: () => import('./try.ts') },
};

export async function runCommandLine(argv: string[]): Promise<ExitCode> {
  try {
    return await dispatch(argv);
  } catch (error) {
    const { message, exitCode } = explain(error, Boolean(process.env['UNROLL_DEBUG']));
    process.stderr.write(`${wrap(message, screenOf(process.stderr).textColumns, 2)}\n`);
    return exitCode;
  }
}

async function dispatch(argv: string[]): Promise<ExitCode> {
  const [name, ...rest] = argv;
  if (name === undefined) {
    process.stderr.write(help());
    return EXIT.wrongInput;
  }
  if (name === '--help' || name === '-h' || name === 'help') return showHelp(rest[0]);
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${unrollVersion()}\n`);
    return EXIT.done;
  }
  const entry = find(name);
  if (entry.trains) endOnInterrupts();
  const { command } = await entry.load();
  const args = parseArguments(command, rest);
  if (args) return command.run(args);
  process.stdout.write(helpOf(command));
  return EXIT.done;
}

async function showHelp(name: string | undefined): Promise<ExitCode> {
  process.stdout.write(name ? helpOf((await find(name).load()).command) : help());
  return EXIT.done;
}

function find(name: string) {
  const all = { ...commands, ...hidden };
  if (Object.hasOwn(all, name)) return all[name]!;
  const meant = nearest(name, Object.keys(commands));
  const hint = meant ? `did you mean \`unroll ${meant}\`?` : '`unroll --help` lists the commands.';
  if (name.startsWith('-'))
    throw new CommandError(`The first word must be a command, found ${name}; ${hint}`);
  throw new CommandError(`There is no command \`unroll ${name}\`; ${hint}`);
}

function help(): string {
  const rows = Object.entries(commands).map(([name, { summary }]): [string, string] => [
    `  ${name}`,
    summary,
  ]);
  return `Usage: unroll COMMAND …

${wrap('Train recurrent sequence models and understand what they learn.', helpColumns())}

${columns(rows)}

${wrap('`unroll COMMAND --help` tells more. Exit codes: 0 done, 2 wrong input, 3 failed while training, 130 stopped.', helpColumns())}
`;
}
