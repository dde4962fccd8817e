// unroll check: every fault of experiment files with its place, and what the data holds.
import process from 'node:process';
import { checkMemory } from '../../experiment/check.ts';
import { machineMemory } from '../../experiment/resources.ts';
import { plural } from '../../experiment/words.ts';
import type { Command } from './command.ts';
import { JSON_OPTION, WORKSPACE_OPTIONS } from './command.ts';
import { describeData } from './data-facts.ts';
import { EXIT, type ExitCode, explain } from './exit.ts';
import { type ExperimentFile, readExperimentFile } from './experiment-file.ts';
import { plain, screenOf, wrap } from './terminal.ts';
import { dataFault, type Place, placeOf } from './workspace.ts';

export const command: Command = {
  name: 'check',
  operands: 'FILE…',
  count: [1, Infinity],
  summary: 'Check experiment files and the data they name. Exit code 2 if anything is wrong.',
  options: { ...WORKSPACE_OPTIONS, ...JSON_OPTION },
  examples: ['unroll check samples/emma.rnn.json'],
  async run(args) {
    let worst: ExitCode = EXIT.done;
    for (const file of args.positionals) {
      const report = await checkFile(
        file,
        options => placeOf(file, { ...options, workspace: args.text('workspace') }),
        args.texts('allow-path'),
      );
      if (!report.ok) worst = EXIT.wrongInput;
      if (args.flag('json')) process.stdout.write(`${JSON.stringify(report)}\n`);
      else print(report);
    }
    return worst;
  },
};

interface Report {
  kind: 'check';
  file: string;
  ok: boolean;
  problems: { line: number; column: number; severity: 'error' | 'warning'; message: string }[];
  /** what the data holds: size, vocabulary, rare characters, missing values */
  notes: string[];
}

async function checkFile(
  file: string,
  place: (options: { allowPaths: string[] }) => Place,
  allowPaths: string[],
): Promise<Report> {
  const report: Report = { kind: 'check', file, ok: false, problems: [], notes: [] };
  const fail = (message: string, { line, column } = { line: 1, column: 1 }) => {
    report.problems.push({ line, column, severity: 'error', message });
    return report;
  };
  let source: ExperimentFile;
  try {
    source = readExperimentFile(file);
  } catch (error) {
    return fail(explain(error, false).message);
  }
  report.problems = source.parsed.problems.map(({ range, severity, message }) => ({
    line: range.line,
    column: range.column,
    severity,
    message,
  }));
  const { experiment } = source.parsed;
  if (!experiment) return report;
  const where = place({ allowPaths });
  const position = source.parsed.locate(['data', 'path']) ?? undefined;
  const missing = dataFault(experiment, where);
  if (missing) return fail(missing, position);
  try {
    const { sizes, maxTokens, notes, warnings } = await describeData(experiment, where);
    const [tooLarge] = checkMemory(experiment, sizes, machineMemory(), maxTokens);
    if (tooLarge) return fail(tooLarge.message, source.parsed.locate(tooLarge.path) ?? position);
    const { line, column } = position ?? { line: 1, column: 1 };
    report.notes = notes;
    for (const message of warnings) report.problems.push({ line, column, severity: 'warning', message });
  } catch (error) {
    return fail(explain(error, false).message, position);
  }
  report.ok = true;
  return report;
}

function print({ file, ok, problems, notes }: Report): void {
  for (const { line, column, severity, message } of problems) {
    const fault = `${file}:${line}:${column}: ${severity === 'warning' ? 'warning: ' : ''}${message}`;
    process.stderr.write(`${wrap(plain(fault), screenOf(process.stderr).textColumns, 2)}\n`);
  }
  if (!ok) return;
  const verdict = problems.length > 0 ? `no errors, ${plural(problems.length, 'warning')}` : 'no faults';
  process.stdout.write(`${file}: ${verdict}\n`);
  for (const note of notes) process.stdout.write(`${wrap(`  ${plain(note)}`, screenOf().textColumns, 4)}\n`);
}
