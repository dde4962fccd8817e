// unroll resume: goes on with stopped, crashed or failed runs from their last checkpoint, in the same folder.
import process from 'node:process';
import { contentionOf } from '../../runs/contention.ts';
import type { RunOutcome } from '../training/work.ts';
import { type Command, JSON_OPTION } from './command.ts';
import { outcomeLine } from './report.ts';
import { endedRecord } from './report-json.ts';
import { loadRun, type RunFacts } from './run-facts.ts';
import { screenOf, wrap } from './terminal.ts';
import { exitCodeOf, trainHere } from './train-here.ts';
import { findRun } from './workspace.ts';

export const command: Command = {
  name: 'resume',
  operands: 'RUN…',
  count: [1, Infinity],
  summary:
    'Go on with a stopped or crashed run from its last checkpoint, bit for bit as if it had not stopped.',
  details:
    'A finished run only tells again how it ended. Several runs, such as the members of a comparison, go on together.',
  options: {
    force: {
      help: 'Also take over a run whose writer is on another machine, and go on where this machine or engine cannot give the same bits.',
    },
    data: { value: 'PATH', help: 'The data file of the run, where it stands elsewhere now.' },
    'changed-data': {
      help: 'Go on with data that are not what the run learned from, in the scaling and vocabulary of the run.',
    },
    'with-new-data': {
      help: 'Start a new run from the best weights of this one, in its scaling and vocabulary, on the data as they are now.',
    },
    ...JSON_OPTION,
  },
  examples: [
    'unroll resume .unroll/runs/20261121T035600Z-emma-0a1b2c',
    'unroll resume .unroll/runs/20261121T035600Z-co2-0a1b2c --with-new-data',
  ],
  async run(args) {
    const options = {
      json: args.flag('json'),
      force: args.flag('force'),
      data: args.text('data'),
      changedData: args.flag('changed-data'),
    };
    if (args.flag('with-new-data')) {
      const { startFromWeights } = await import('../training/from-weights.ts');
      return trainHere(
        args.positionals.map(name => startFromWeights(findRun(name))),
        options,
      );
    }
    const runs = args.positionals.map(name => loadRun(findRun(name)));
    const over = runs.map(outcomeOfEnded);
    const open = runs.filter((_, index) => over[index] === null);
    const ended = over.filter(outcome => outcome !== null);
    for (const [index, outcome] of over.entries()) {
      if (outcome) tellAgain(outcome, runs[index]!, args.flag('json'));
    }
    if (open.length === 0) return exitCodeOf(ended);
    return trainHere(
      open.map(({ folder }) => folder),
      options,
    );
  },
};

/** How a run that trained to its end ended; null if it can go on. */
function outcomeOfEnded({ folder, reader, state, step }: RunFacts): RunOutcome | null {
  const { ended, run } = reader;
  const over = state === 'finished' || state === 'early-stopped' || state === 'diverged';
  if (!ended || !over) return null;
  const { reason, message, trainLoss, valLoss, metrics = null, seconds } = ended;
  return {
    folder,
    reason,
    message,
    steps: step,
    trainLoss,
    valLoss,
    metrics,
    seconds,
    engine: run?.engineUsed.provider ?? 'auto',
    contention: contentionOf(reader.status?.last['timeAlone'], run?.engineUsed.threads ?? 1),
    wrongInput: false,
  };
}

function tellAgain(outcome: RunOutcome, run: RunFacts, json: boolean): void {
  process.stdout.write(
    json
      ? `${JSON.stringify(endedRecord(outcome))}\n`
      : `${wrap(`${outcomeLine(run.label, outcome)} Nothing was changed.`, screenOf().textColumns, 2)}\n`,
  );
}
