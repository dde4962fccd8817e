// unroll export: a run's weights, its model as PyTorch code, ONNX graph, Keras archive or TensorFlow.js layers, or its
// curves, for other tools.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gruMetadata } from '../../experiment/layers/gru.ts';
import { exportScalars } from '../../runs/export-curves.ts';
import { jsonText, replaceFile } from '../../runs/json.ts';
import { encodeSafetensors } from '../../runs/safetensors.ts';
import {
  type FinishedRun,
  loadModel,
  useFinishedRun,
  type WhichCheckpoint,
} from '../inference/finished-run.ts';
import { modelCode, stateDict } from './pytorch/module.ts';
import { referenceOf } from './reference-outputs.ts';

export type ExportFormat = 'pytorch' | 'onnx' | 'keras' | 'tfjs' | 'safetensors' | 'csv';

export interface ExportOptions {
  checkpoint?: WhichCheckpoint;
}

/** @returns the files written, absolute. @throws BadRunError for a run without usable weights */
export async function exportRun(
  folder: string,
  format: ExportFormat,
  out: string,
  options: ExportOptions = {},
): Promise<string[]> {
  switch (format) {
    case 'csv':
      return exportScalars(folder, 'csv', out);
    case 'safetensors':
      return write(out, await weightFiles(folder, options));
    case 'pytorch':
      return write(out, await pytorchFiles(folder, options));
    case 'onnx':
      return write(out, await modelFiles(folder, options, onnx));
    case 'keras':
      return write(out, await modelFiles(folder, options, archive));
    case 'tfjs':
      return write(out, await modelFiles(folder, options, layers));
    default:
      return format satisfies never;
  }
}

type Files = Record<string, string | Uint8Array>;

async function weightFiles(folder: string, { checkpoint }: ExportOptions): Promise<Files> {
  const { weights, run, artifact } = await useFinishedRun(folder, checkpoint);
  return {
    'model.safetensors': encodeSafetensors(weights, formOf(run)),
    'task.json': json(artifact),
    'experiment.rnn.json': json(run.experiment),
  };
}

async function pytorchFiles(folder: string, { checkpoint }: ExportOptions): Promise<Files> {
  const opened = await useFinishedRun(folder, checkpoint);
  const model = await loadModel(opened);
  try {
    return {
      'model.safetensors': encodeSafetensors(stateDict(opened), { format: 'pt', ...formOf(opened.run) }),
      'model.py': modelCode(opened),
      'task.json': json(opened.artifact),
      'reference.json': `${jsonText(referenceOf(model, opened))}\n`,
    };
  } finally {
    model.dispose();
  }
}

async function onnx(opened: FinishedRun): Promise<Files> {
  if (opened.run.experiment.model.encoder) {
    const { onnxEncoderDecoder } = await import('./onnx/encoder-decoder.ts');
    const { encoder, decoder, decoding } = onnxEncoderDecoder(opened);
    return { 'encoder.onnx': encoder, 'decoder.onnx': decoder, 'decoding.json': json(decoding) };
  }
  const { onnxModel } = await import('./onnx/model.ts');
  return { 'model.onnx': onnxModel(opened) };
}

async function archive(opened: FinishedRun): Promise<Files> {
  if (opened.run.experiment.model.encoder) {
    const { kerasEncoderDecoder } = await import('./keras/encoder-decoder.ts');
    const { code, weights } = kerasEncoderDecoder(opened);
    return { 'model.py': code, 'model.safetensors': encodeSafetensors(weights) };
  }
  const { kerasArchive } = await import('./keras/archive.ts');
  return { 'model.keras': await kerasArchive(opened) };
}

async function layers(opened: FinishedRun): Promise<Files> {
  if (opened.run.experiment.model.encoder) {
    const { layersEncoderDecoder } = await import('./keras/tfjs-encoder-decoder.ts');
    const { files, decoding } = layersEncoderDecoder(opened);
    return { ...files, 'decoding.json': json(decoding) };
  }
  const { layersModel } = await import('./keras/tfjs.ts');
  return layersModel(opened);
}

/** What `make` writes of a model, with what using and checking it takes. */
async function modelFiles(
  folder: string,
  { checkpoint }: ExportOptions,
  make: (opened: FinishedRun) => Promise<Files>,
): Promise<Files> {
  const opened = await useFinishedRun(folder, checkpoint);
  const made = await make(opened);
  const model = await loadModel(opened);
  try {
    return {
      ...made,
      'task.json': json(opened.artifact),
      'reference.json': `${jsonText(referenceOf(model, opened))}\n`,
    };
  } finally {
    model.dispose();
  }
}

/** Names of a GRU's weights do not tell which of its two forms they are of. */
function formOf({ experiment: { model } }: FinishedRun['run']): Record<string, string> {
  return gruMetadata([...(model.encoder ?? []), ...model.layers], model.convention);
}

function json(value: unknown): string {
  return `${jsonText(value, 2)}\n`;
}

function write(out: string, files: Files): string[] {
  mkdirSync(out, { recursive: true });
  return Object.entries(files).map(([name, content]) => {
    const path = join(out, name);
    replaceFile(path, content);
    return path;
  });
}
