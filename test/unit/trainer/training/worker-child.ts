// A worker process to be killed: trains the run it is given.
import process from 'node:process';
import { trainRuns } from '../../../../src/trainer/training/work.ts';

const [outcome] = await trainRuns(process.argv.slice(2));
if (outcome?.reason !== 'finished') {
  console.error(outcome?.message);
  process.exitCode = 1;
}
