// A run's model as a PyTorch module: the code, and the weights under the names that module gives them. Layouts and
// gate orders are PyTorch's already; what differs is biases that PyTorch always has, and the GRU that resets before
// the product, which PyTorch does not have and which therefore comes with a cell of its own.
import { hiddenOf, resetsAfter } from '../../experiment/parameters.ts';
import { lossAtEveryStep, trainingSeqLen } from '../../experiment/resources.ts';
import {
  directionsOf,
  isRecurrent,
  type Layer,
  type RecurrentLayer,
  seesOtherSteps,
  type TransformerLayer,
} from '../../experiment/schema.ts';
import type { NamedTensor } from '../../runs/safetensors.ts';
import type { FinishedRun } from '../inference/finished-run.ts';
import * as python from './python.ts';
import { taskCode } from './pytorch-task.ts';

/** The weights, with zeros for biases that PyTorch has and the run's convention has not. */
export function stateDict({ run, weights }: FinishedRun): Map<string, NamedTensor> {
  const all = new Map(weights);
  run.experiment.model.layers.forEach((layer, index) => {
    if (!isRecurrent(layer)) return;
    for (let level = 0; level < layer.layers; level++) {
      for (const end of layer.bidirectional ? [`l${level}`, `l${level}_reverse`] : [`l${level}`]) {
        const ih = weights.get(`layers.${index}.bias_ih_${end}`)!;
        const name = `layers.${index}.bias_hh_${end}`;
        if (!all.has(name)) all.set(name, { shape: ih.shape, data: new Float32Array(ih.data.length) });
      }
    }
  });
  return all;
}

export function modelCode(opened: FinishedRun): string {
  const { run, sizes, step, best } = opened;
  const { layers, convention } = run.experiment.model;
  const ownModules = [
    ...(layers.some(layer => isResetBefore(layer, opened)) ? [python.GRU_RESET_BEFORE] : []),
    ...(layers.some(({ type }) => type === 'transformer') ? [python.TRANSFORMER] : []),
    ...(layers.some(({ type }) => type === 'tcn') ? [python.TCN] : []),
  ];
  const tokens = sizes.input.kind === 'tokens';
  const input = tokens ? '(steps, batch) symbol ids' : `(steps, batch, ${inputWidth(opened)}) scaled numbers`;
  return `"""${python.comment(run.name)}: a model trained with Unroll, in plain PyTorch.

Weights: ${best ? 'best validation' : 'last checkpoint'}, step ${step}. Convention: ${convention}.

    python model.py                     checks itself against the outputs of the run
    from model import load              model = load()
"""
import json
import pathlib
import struct

import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent

${ownModules.map(code => `\n${code}\n`).join('')}
class Model(nn.Module):
    """${input} -> (${endsOnly(opened) ? '1' : 'steps'}, batch, ${sizes.outputs}), and the states to go on with."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([
${moduleLines(opened)}
        ])

    def forward(self, x, states=None):
        states = list(states) if states is not None else [None] * ${layers.filter(isRecurrent).length}
${forwardLines(opened)}
        return x, states


${python.READ_SAFETENSORS}

def load(path=HERE / "model.safetensors"):
    """The trained model, in evaluation mode."""
    model = Model()
    model.load_state_dict(read_safetensors(path))
    return model.eval()

${taskCode(opened)}${python.CHECK}`;
}

function inputWidth({ sizes: { input } }: FinishedRun): number {
  return input.kind === 'tokens' ? input.vocabulary : input.features;
}

function isResetBefore(layer: Layer, { run }: FinishedRun): boolean {
  return layer.type === 'gru' && !resetsAfter(run.experiment.model.convention, layer.resetAfter);
}

function moduleLines(opened: FinishedRun): string {
  let width = inputWidth(opened);
  const last = opened.run.experiment.model.layers.length - 1;
  const lines = opened.run.experiment.model.layers.map((layer, index) => {
    const before = width;
    switch (layer.type) {
      case 'embedding':
        width = layer.dim;
        return `nn.Embedding(${before}, ${width})`;
      case 'dropout':
        return `nn.Dropout(${layer.rate})`;
      case 'dense':
        width = layer.units ?? (index === last ? opened.sizes.outputs : before);
        return `nn.Linear(${before}, ${width})`;
      case 'rnn':
      case 'lstm':
      case 'gru':
        width = directionsOf(layer) * layer.units;
        return recurrentModule(layer, before, isResetBefore(layer, opened));
      case 'layer-norm':
        return `nn.LayerNorm(${before}, ${layer.epsilon})`;
      case 'transformer':
        return transformerModule(layer, before, trainingSeqLen(opened.run.experiment));
      case 'tcn':
        width = layer.units;
        return `Tcn(${[before, width, layer.kernelSize, layer.layers, layer.dropout].join(', ')})`;
      default:
        return layer satisfies never;
    }
  });
  return lines.map(line => `            ${line},`).join('\n');
}

function transformerModule(layer: TransformerLayer, width: number, seqLen: number): string {
  const { heads, layers, activation, dropout, window, positions } = layer;
  const options = [width, heads, hiddenOf(layer, width), layers, `"${activation}"`, dropout];
  if (window !== undefined) options.push(`window=${window}`);
  if (positions !== 'none')
    options.push(positions === 'learned' ? `positions=${seqLen}` : 'positions="sinusoidal"');
  return `CausalTransformer(${options.join(', ')})`;
}

function recurrentModule(layer: RecurrentLayer, inputs: number, resetBefore: boolean): string {
  const name = resetBefore ? 'GruResetBefore' : `nn.${layer.type.toUpperCase()}`;
  const options = [`${inputs}`, `${layer.units}`];
  if (layer.layers > 1) options.push(`num_layers=${layer.layers}`);
  if (layer.layers > 1 && layer.dropout > 0) options.push(`dropout=${layer.dropout}`);
  if (layer.bidirectional) options.push('bidirectional=True');
  if (layer.type === 'rnn' && layer.activation === 'relu') options.push('nonlinearity="relu"');
  return `${name}(${options.join(', ')})`;
}

/** A task at the end of the sequence takes a bidirectional layer's last states, of which one stands at the start. */
export function endsOnly({ run: { experiment } }: FinishedRun): boolean {
  const layer = experiment.model.layers.findLast(seesOtherSteps);
  return layer !== undefined && isRecurrent(layer) && layer.bidirectional && !lossAtEveryStep(experiment);
}

function bothEnds(units: number): string {
  return `x = torch.cat([x[-1:, :, :${units}], x[:1, :, ${units}:]], 2)`;
}

function forwardLines(opened: FinishedRun): string {
  let state = 0;
  const { layers } = opened.run.experiment.model;
  const last = layers.findLastIndex(seesOtherSteps);
  const lines = layers.flatMap((layer, index) => {
    const call = `self.layers[${index}](x`;
    if (isRecurrent(layer)) {
      const at = `states[${state++}]`;
      const line = `x, ${at} = ${call}, ${at})`;
      return index === last && endsOnly(opened) ? [line, bothEnds(layer.units)] : line;
    }
    const activated = layer.type === 'dense' && layer.activation !== 'linear';
    return activated ? `x = torch.${layer.activation}(${call}))` : `x = ${call})`;
  });
  const { input } = opened.sizes;
  if (input.kind === 'tokens' && layers[0]!.type !== 'embedding')
    lines.unshift(`x = nn.functional.one_hot(x, ${input.vocabulary}).float()`);
  return lines.map(line => `        ${line}`).join('\n');
}
