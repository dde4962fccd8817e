// unroll export: a run's weights and model code, or its curves, for other tools.
import path from 'node:path';
import process from 'node:process';
import { type Command, JSON_OPTION } from './command.ts';
import { CommandError, EXIT } from './exit.ts';
import { shortPath } from './report.ts';
import { findRun } from './workspace.ts';

/** Curves are written here, weights by the trainer's exporters. */
const CURVES = ['csv', 'jsonl', 'tensorboard'];
const MODELS: string[] = [];

export const command: Command = {
  name: 'export',
  operands: 'RUN',
  count: [1, 1],
  summary: 'Write a run for other tools.',
  options: {
    format: {
      value: 'NAME',
      help: 'pytorch (weights and the model as Python), safetensors (weights), csv or jsonl (curves), tensorboard (event file).',
    },
    out: { value: 'DIR', help: 'Folder to write to; default: ./<run>-<format>.' },
    ...JSON_OPTION,
  },
  examples: ['unroll export RUN --format pytorch', 'unroll export RUN --format csv --out curves'],
  async run(args) {
    const folder = findRun(args.positionals[0]!);
    const format = args.text('format');
    const known = [...MODELS, ...CURVES];
    if (!format || !known.includes(format)) {
      const found = format ? `, found ${JSON.stringify(format)}` : '';
      throw new CommandError(`--format must be one of ${known.join(', ')}${found}.`);
    }
    const out = path.resolve(args.text('out') ?? `${path.basename(folder)}-${format}`);
    const files = await exportCurves(folder, format, out);
    if (args.flag('json')) process.stdout.write(`${JSON.stringify({ kind: 'export', format, files })}\n`);
    else for (const file of files) process.stdout.write(`${shortPath(file)}\n`);
    return EXIT.done;
  },
};

async function exportCurves(folder: string, format: string, out: string): Promise<string[]> {
  const { exportScalars } = await import('../../runs/export-curves.ts');
  return exportScalars(folder, format as 'csv' | 'jsonl' | 'tensorboard', out);
}
