// unroll train: makes one run for each member of a comparison and trains them in this process.
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import process from 'node:process';
import { expandComparison, type Member } from '../../experiment/compare.ts';
import { writeCheckpoint } from '../../runs/checkpoints.ts';
import { createRun } from '../../runs/create.ts';
import type { Beginning } from '../training/import/start.ts';
import { type Arguments, type Command, JSON_OPTION, WORKSPACE_OPTIONS } from './command.ts';
import { ENGINES, engineOf } from './engine.ts';
import { CommandError } from './exit.ts';
import {
  type ExperimentFile,
  problemLines,
  readExperimentFile,
  requireExperiment,
  withAssignments,
} from './experiment-file.ts';
import { screenOf, wrap } from './terminal.ts';
import { trainHere } from './train-here.ts';
import { say, writeRecord } from './trained.ts';
import { dataFault, type Place, placeOf } from './workspace.ts';

export const command: Command = {
  name: 'train',
  operands: 'FILE',
  count: [1, 1],
  summary: 'Train the model of an experiment file; every member of its comparison, if it has one.',
  details:
    'The run is written to .unroll/runs of the workspace. Ctrl+C stops with a checkpoint, and `unroll resume` goes on from there; a second Ctrl+C ends at once.',
  options: {
    out: { value: 'DIR', help: 'Write the run to DIR/<id> instead.' },
    ...WORKSPACE_OPTIONS,
    engine: {
      value: 'NAME',
      help: `One of ${ENGINES.join(', ')}; default: auto, the fastest that works here.`,
    },
    threads: { value: 'N', help: 'Threads to compute with; default: the physical cores.' },
    weights: {
      value: 'FILE',
      help: 'Begin with these weights: safetensors of a PyTorch state_dict or of unroll export, or Keras .weights.h5; modules are matched by kind, shape and order, and each is told.',
    },
    steps: { value: 'N', help: 'Train this many steps: short for --set training.steps=N.' },
    set: {
      value: 'path=value',
      multiple: true,
      help: 'Change a field of the experiment for this run, such as training.batchSize=64.',
    },
    ...JSON_OPTION,
  },
  examples: [
    'unroll train samples/emma.rnn.json',
    'unroll train samples/emma.rnn.json --steps 200 --set training.optimizer.learningRate=0.01',
    'unroll train samples/adding.rnn.json --json --out /tmp/runs',
    'unroll train emma.rnn.json --weights pretrained.safetensors',
  ],
  async run(args) {
    const [file] = args.positionals as [string];
    const source = readExperimentFile(file);
    const place = placeOf(existing(source), {
      workspace: args.text('workspace'),
      allowPaths: args.texts('allow-path'),
    });
    const members = membersOf(source, place, args);
    const beginnings = await beginningsOf(members, place, args);
    const folders = createRuns(members, source, place, args, beginnings);
    for (const [index, { files }] of beginnings.entries())
      writeCheckpoint(folders[index]!, 0, files, { best: false });
    return trainHere(folders, { json: args.flag('json'), force: false });
  },
};

/** Warnings and faults of the file go to stderr first. */
function existing(source: ExperimentFile): string {
  requireExperiment(source);
  for (const line of problemLines(source))
    process.stderr.write(`${wrap(line, screenOf(process.stderr).textColumns, 2)}\n`);
  return source.file;
}

function membersOf(source: ExperimentFile, place: Place, args: Arguments): Member[] {
  const steps = args.number('steps', { min: 1, whole: true });
  const assignments = [...args.texts('set'), ...(steps === undefined ? [] : [`training.steps=${steps}`])];
  const experiment = withAssignments(requireExperiment(source), assignments);
  const members = expandComparison(experiment);
  for (const { experiment } of members) {
    const fault = dataFault(experiment, place);
    if (!fault) continue;
    const at = source.parsed.locate(['data', 'path']);
    throw new CommandError(at ? `${source.file}:${at.line}:${at.column}: ${fault}` : fault);
  }
  return members;
}

/** None without --weights. What does not fit is told before a run is made. */
async function beginningsOf(members: readonly Member[], place: Place, args: Arguments): Promise<Beginning[]> {
  const file = args.text('weights');
  if (file === undefined) return [];
  const { beginWith } = await import('../training/import/start.ts');
  const made: Beginning[] = [];
  for (const { experiment } of members) made.push(await beginWith(path.resolve(file), experiment, place));
  if (args.flag('json')) for (const { report } of made) writeRecord({ kind: 'weights', file, report });
  else for (const line of new Set(made.flatMap(({ report }) => report))) say(line);
  return made;
}

function createRuns(
  members: Member[],
  source: ExperimentFile,
  place: Place,
  args: Arguments,
  beginnings: readonly Beginning[],
): string[] {
  const engine = engineOf(args);
  const threads = args.number('threads', { min: 1, max: 1024, whole: true }) ?? null;
  const out = args.text('out');
  const where = out === undefined ? { workspace: place.workspace } : { out: path.resolve(out) };
  const groupId = randomBytes(6).toString('hex');
  const inside = path.relative(place.workspace, path.join(place.base, path.basename(source.file)));
  return members.map(({ label, experiment }, index) =>
    createRun(where, {
      name: experiment.name ?? 'experiment',
      experiment,
      definition: {
        path: inside.split(path.sep).join('/'),
        line: source.parsed.locateKey(['model'])?.line ?? 0,
        language: 'rnn-json',
        text: source.text,
      },
      group: members.length > 1 ? { id: groupId, index, size: members.length, label } : null,
      engine,
      threads,
      ...place,
      ...(beginnings[index] && { weightsFrom: beginnings[index].origin }),
    }),
  );
}
