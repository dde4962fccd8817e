// unroll work: trains queued runs without a terminal. Started by the extension, detached, output in worker.log.
import os from 'node:os';
import process from 'node:process';
import type { Command } from './command.ts';
import { EXIT } from './exit.ts';
import { takeInterrupts } from './interrupts.ts';
import { isLane, trainOnCores, workAsLane } from './lanes.ts';
import { exitCodeOf } from './train-here.ts';
import { findRun } from './workspace.ts';

export const command: Command = {
  name: 'work',
  operands: 'RUN…',
  count: [1, Infinity],
  summary: 'Train queued runs without a terminal, as the extension does.',
  options: { force: { help: 'As of unroll resume.' } },
  hidden: true,
  async run(args) {
    // the editor comes first, and closing it or its terminal ends no run
    lowerPriority();
    if (isLane()) {
      await workAsLane(args.positionals.map(findRun));
      return EXIT.done;
    }
    const controller = new AbortController();
    takeInterrupts(() => controller.abort(), ['SIGHUP']);
    const folders = args.positionals.map(findRun);
    const outcomes = await trainOnCores(folders, { signal: controller.signal, force: args.flag('force') });
    for (const { folder, reason, message, steps } of outcomes) {
      process.stderr.write(`${new Date().toISOString()} ${folder}: ${reason} at step ${steps}. ${message}\n`);
    }
    // a stop that was asked for is what the extension wanted
    const code = exitCodeOf(outcomes);
    return code === EXIT.stopped && !controller.signal.aborted ? EXIT.done : code;
  },
};

function lowerPriority(): void {
  try {
    os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // not allowed here: the run only competes harder
  }
}
