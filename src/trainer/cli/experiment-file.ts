// Reads the experiment that a command names, with the changes of --set and --steps.
import { readFileSync, statSync } from 'node:fs';
import { checkExperiment, unknownField } from '../../experiment/check.ts';
import { setField } from '../../experiment/compare.ts';
import { faultsOf } from '../../experiment/faults.ts';
import { type ParsedExperiment, parseExperiment } from '../../experiment/parse.ts';
import { parseDotted } from '../../experiment/place.ts';
import { machineMemory } from '../../experiment/resources.ts';
import { type Experiment, experimentSchema } from '../../experiment/schema.ts';
import { formatBytes } from '../../experiment/words.ts';
import { CommandError } from './exit.ts';

const MAX_BYTES = 4e6;

export interface ExperimentFile {
  file: string;
  text: string;
  parsed: ParsedExperiment;
}

export function readExperimentFile(file: string): ExperimentFile {
  const text = readText(file);
  return { file, text, parsed: parseExperiment(text, { fileName: file }) };
}

function readText(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) throw new CommandError(`There is no file ${file}.`);
  if (stat.isDirectory())
    throw new CommandError(`${file} is a folder; name an experiment file (*.rnn.json).`);
  if (stat.size > MAX_BYTES) {
    throw new CommandError(
      `${file} is too large to be an experiment (${formatBytes(stat.size)}); is it the data?`,
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error;
    throw new CommandError(`${file} is not a UTF-8 text; is it the data?`);
  }
}

/** "file:line:col: message", as compilers and editors write it. */
export function problemLines({ file, parsed }: ExperimentFile): string[] {
  return parsed.problems.map(({ range, severity, message }) => {
    const kind = severity === 'warning' ? 'warning: ' : '';
    return `${file}:${range.line}:${range.column}: ${kind}${message}`;
  });
}

/** The experiment, or all its faults as one error. */
export function requireExperiment(source: ExperimentFile): Experiment {
  if (source.parsed.experiment) return source.parsed.experiment;
  throw new CommandError(problemLines(source).join('\n'));
}

/** `path=value` assignments on top; values are JSON, and texts need no quotes. */
export function withAssignments(experiment: Experiment, assignments: readonly string[]): Experiment {
  return assignments.reduce(assign, experiment);
}

function assign(experiment: Experiment, assignment: string): Experiment {
  const equals = assignment.indexOf('=');
  const fail = (why: string): never => {
    throw new CommandError(`--set ${assignment}: ${why}`);
  };
  if (equals < 1) return fail('write it as path=value, such as training.batchSize=64.');
  const path = parseDotted(assignment.slice(0, equals));
  const missing = path.length === 0 ? 'there is no path before "=".' : unknownField(path, experiment);
  if (missing) return fail(missing);
  const changed = setField(experiment, path, readValue(assignment.slice(equals + 1)));
  const parsed = experimentSchema.safeParse(changed);
  if (!parsed.success) return fail(faultsOf(parsed.error, changed)[0]!.message);
  const error = checkExperiment(parsed.data, {}, machineMemory()).find(
    ({ severity }) => severity === 'error',
  );
  return error ? fail(error.message) : parsed.data;
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
