// A process that tries to become the writer of a run at a given moment: prints "won" and holds it, or "lost".
import process from 'node:process';
import { RunBusyError } from '../../../src/runs/errors.ts';
import { RunWriter } from '../../../src/runs/writer.ts';

process.on('message', (folder: string) => {
  try {
    const writer = RunWriter.open(folder);
    process.send!('won');
    process.once('message', () => {
      writer.close();
      process.exit(0);
    });
  } catch (error) {
    process.send!(error instanceof RunBusyError ? 'lost' : String((error as Error).stack));
  }
});
process.send!('ready');
