// unroll export: a run's weights and model code, or its curves, for other tools.
import path from 'node:path';
import process from 'node:process';
import type { Command } from './command.ts';
import { CommandError, EXIT } from './exit.ts';
import { shortPath } from './report.ts';
import { TRAINED_OPTIONS, type Trained, trainedOf, writeRecord } from './trained.ts';

const CURVES = ['csv', 'jsonl', 'tensorboard'] as const;
const MODELS = ['pytorch', 'onnx', 'keras', 'tfjs', 'safetensors'] as const;
type Format = (typeof CURVES)[number] | (typeof MODELS)[number];
const FORMATS: readonly Format[] = [...MODELS, ...CURVES];

export const command: Command = {
  name: 'export',
  operands: 'RUN',
  count: [1, 1],
  summary: 'Write a run for other tools.',
  options: {
    format: {
      value: 'NAME',
      help: 'pytorch (weights and the model as Python), onnx (opset 17), keras (a .keras archive; of an encoder-decoder its code and weights), tfjs (a layers model of TensorFlow.js; of an encoder-decoder two), safetensors (weights), csv or jsonl (curves), tensorboard (event file).',
    },
    out: { value: 'DIR', help: 'Folder to write to; default: ./<run>-<format>.' },
    ...TRAINED_OPTIONS,
  },
  examples: ['unroll export RUN --format pytorch', 'unroll export RUN --format csv --out curves'],
  async run(args) {
    const { folder, checkpoint } = trainedOf(args);
    const format = formatOf(args.text('format'));
    const out = path.resolve(args.text('out') ?? `${path.basename(folder)}-${format}`);
    const files = await exportFiles(folder, format, out, checkpoint);
    if (args.flag('json')) writeRecord({ kind: 'export', format, files });
    else for (const file of files) process.stdout.write(`${shortPath(file)}\n`);
    return EXIT.done;
  },
};

function formatOf(name: string | undefined): Format {
  const format = FORMATS.find(known => known === name);
  if (format) return format;
  const found = name === undefined ? '' : `, found ${JSON.stringify(name)}`;
  throw new CommandError(`--format must be one of ${FORMATS.join(', ')}${found}.`);
}

async function exportFiles(folder: string, format: Format, out: string, checkpoint: Trained['checkpoint']) {
  const model = MODELS.find(known => known === format);
  if (model) {
    const { exportRun } = await import('../export/export-run.ts');
    return exportRun(folder, model, out, { checkpoint });
  }
  const { exportScalars } = await import('../../runs/export-curves.ts');
  return exportScalars(folder, format as (typeof CURVES)[number], out);
}
