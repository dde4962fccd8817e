// The command `unroll`: finds the command, and turns every end into an exit code. Nothing heavy is loaded here.
import process from 'node:process';
import { EXIT } from './cli/exit.ts';
import { watchOutput } from './cli/output.ts';
import { runCommandLine } from './cli/run.ts';

watchOutput();

const exitCode = await runCommandLine(process.argv.slice(2));
process.exitCode = exitCode;
// a file that was being read when the stop came would hold the process
if (exitCode === EXIT.stopped) process.stdout.write('', () => process.exit(exitCode));
