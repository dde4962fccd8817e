// The command `unroll`: finds the command, and turns every end into an exit code. Nothing heavy is loaded here.
import process from 'node:process';
import { runCommandLine } from './cli/run.ts';

// a reader that closes early, such as `| head`, is no fault
process.stdout.on('error', error => process.exit((error as NodeJS.ErrnoException).code === 'EPIPE' ? 0 : 1));

process.exitCode = await runCommandLine(process.argv.slice(2));
