// Starts a training from the shell, and ends trainings so that they can be continued.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { requestControl } from '../../src/runs/control.ts';
import { root } from './paths.ts';
import { kill, markedProcesses, type Started } from './processes.ts';

export function startTraining(experiment: string, workspace: string): void {
  const logFile = path.join(root, '.vscode-test', 'train.log');
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'w');
  const command = path.join(root, 'dist', 'engine', 'unroll.mjs');
  const child = spawn(process.execPath, [command, 'train', experiment, '--workspace', workspace], {
    stdio: ['ignore', log, log],
    detached: true, // Ctrl+C reaches it through us, as a request to stop with a checkpoint
  });
  closeSync(log);
  console.log(`Training ${path.basename(experiment)}; its output is in ${path.relative(root, logFile)}`);
  child.once('exit', code => {
    if (code !== 0 && code !== 130) console.log(`The training ended with exit code ${code}: see its output.`);
  });
}

/** Stops the trainings that carry the mark, with a checkpoint each; returns how many processes those were. */
export async function endTrainings(value: string): Promise<number> {
  const trainings = () => markedProcesses(value).filter(isTraining);
  const first = trainings();
  if (first.length === 0) return 0;
  console.log('\nStopping what still trains …');
  for (const training of first) askToStop(training);
  const deadline = Date.now() + 15_000;
  while (trainings().length && Date.now() < deadline) await wait(100);
  kill(trainings(), 'SIGKILL');
  return first.length;
}

const verbs = ['train', 'resume', 'work'];

function verbAt({ command }: Started): number {
  return command.findIndex((word, i) => command[i - 1]?.endsWith('unroll.mjs') && verbs.includes(word));
}

function isTraining(started: Started): boolean {
  return verbAt(started) > 0;
}

/** A worker is asked through its run folders, a command line by Ctrl+C. */
function askToStop(training: Started): void {
  const at = verbAt(training);
  if (training.command[at] !== 'work') kill([training], 'SIGINT');
  else
    for (const folder of training.command.slice(at + 1))
      if (!folder.startsWith('-')) requestControl(folder, 'stop');
}
