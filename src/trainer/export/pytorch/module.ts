// A run's model as a PyTorch module: the code, and the weights under the names that module gives them. Layouts and
// gate orders are PyTorch's already.
import { addsInput, type PlacedLayer, placeLayers } from '../../../experiment/models.ts';
import { lossAtEveryStep } from '../../../experiment/resources.ts';
import { type ModelSizes, widthOf } from '../../../experiment/sizes.ts';
import type { NamedTensor } from '../../../runs/safetensors.ts';
import type { FinishedRun } from '../../inference/finished-run.ts';
import { InputError } from '../../training/prepare.ts';
import * as python from '../python.ts';
import { pytorchOf } from './index.ts';
import type { PyTorchLayer } from './kind.ts';
import { taskCode } from './tasks/index.ts';

interface Exported extends PlacedLayer {
  torch: PyTorchLayer<PlacedLayer['layer']['type']>;
}

/** @throws InputError naming a layer that has no form in the code that is written */
function exported({ run, sizes }: FinishedRun): Exported[] {
  if (run.experiment.model.encoder)
    throw new InputError(
      'A model with an encoder is not yet written as PyTorch code; export its weights with --format safetensors.',
    );
  return placeLayers(run.experiment, sizes).map(placed => {
    const torch = pytorchOf(placed.layer.type);
    if (torch) return { ...placed, torch };
    throw new InputError(
      `${placed.name} is of type "${placed.layer.type}", which has no form in PyTorch; export its weights with --format safetensors.`,
    );
  });
}

/** The run's weights, and those that PyTorch's modules have beside them. */
export function stateDict(opened: FinishedRun): Map<string, NamedTensor> {
  const all = new Map(opened.weights);
  for (const { torch, layer, name } of exported(opened)) torch.addWeights?.(layer, name, all);
  return all;
}

export function modelCode(opened: FinishedRun): string {
  const { run, sizes, step, best } = opened;
  const layers = exported(opened);
  const codes = layers.map(({ torch, layer, at }) => torch.code?.(layer, at) ?? null);
  const ownModules = [...new Set(codes.filter(code => code !== null))];
  const tokens = sizes.input.kind === 'tokens';
  const several = idsEach(sizes);
  const input = tokens
    ? `(steps, batch${several ? `, ${several}` : ''}) symbol ids`
    : `(steps, batch, ${widthOf(sizes.input)}) scaled numbers`;
  const modules = layers.map(({ torch, layer, at }) => `            ${torch.module(layer, at)},`);
  return `"""${python.comment(run.name)}: a model trained with Unroll, in plain PyTorch.

Weights: ${best ? 'best validation' : 'last checkpoint'}, step ${step}. Convention: ${run.experiment.model.convention}.

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
${modules.join('\n')}
        ])

    def forward(self, x, states=None):
        states = list(states) if states is not None else [None] * ${layers.filter(hasState).length}
${forwardLines(layers, opened)}
        return x, states


${python.READ_SAFETENSORS}

def load(path=HERE / "model.safetensors"):
    """The trained model, in evaluation mode."""
    model = Model()
    model.load_state_dict(read_safetensors(path))
    return model.eval()

${taskCode(opened)}${python.CHECK}`;
}

/** A task at the end of the sequence takes a bidirectional layer's last states, of which one stands at the start. */
export function endsOnly({ run: { experiment }, sizes }: FinishedRun): boolean {
  const last = lastAcross(placeLayers(experiment, sizes));
  return last !== undefined && readsBothWays(last) && !lossAtEveryStep(experiment);
}

function lastAcross<L extends PlacedLayer>(layers: readonly L[]): L | undefined {
  return layers.findLast(({ kind, layer }) => kind.traits(layer).sees !== 'step');
}

/** Ids of a step whose vectors are averaged; 0: it has one, as is usual. */
function idsEach({ input }: ModelSizes): number {
  return input.kind === 'tokens' && (input.each ?? 1) > 1 ? input.each! : 0;
}

function readsBothWays({ kind, layer }: PlacedLayer): boolean {
  return 'bidirectional' in layer && layer.bidirectional && kind.traits(layer).sees === 'all';
}

function bothEnds(width: number): string {
  return `x = torch.cat([x[-1:, :, :${width / 2}], x[:1, :, ${width / 2}:]], 2)`;
}

function hasState({ torch, layer }: Exported): boolean {
  const { stateful = false } = torch;
  return typeof stateful === 'boolean' ? stateful : stateful(layer);
}

function forwardLines(layers: readonly Exported[], opened: FinishedRun): string {
  let state = 0;
  const readsSeveral =
    idsEach(opened.sizes) > 0 && layers[0]!.kind.traits(layers[0]!.layer).reads === 'tokens';
  const last = lastAcross(layers);
  const lines = layers.flatMap(placed => {
    const { torch, layer, at } = placed;
    const call = `self.layers[${at.index}](x`;
    const activation = torch.activation?.(layer) ?? '';
    const averaged = placed === layers[0] && readsSeveral ? '.mean(2)' : '';
    const before = addsInput(layer) ? 'x + ' : '';
    if (!hasState(placed))
      return `x = ${before}${activation ? `${activation}(${call}))` : `${call})`}${averaged}`;
    const name = `states[${state++}]`;
    const atEnds = placed === last && endsOnly(opened);
    if (atEnds && torch.givesEnds?.(layer)) return `x, ${name} = ${call}, ${name}, ends=True)`;
    const made = before || activation ? 'y' : 'x';
    const lines = [`${made}, ${name} = ${call}, ${name})`];
    if (made === 'y') lines.push(`x = ${before}${activation ? `${activation}(y)` : 'y'}`);
    return atEnds ? [...lines, bothEnds(at.outputs)] : lines;
  });
  const { input } = opened.sizes;
  if (input.kind === 'tokens' && layers[0]!.kind.traits(layers[0]!.layer).reads !== 'tokens')
    lines.unshift(
      `x = nn.functional.one_hot(x, ${input.vocabulary}).float()${idsEach(opened.sizes) > 0 ? '.mean(2)' : ''}`,
    );
  return lines.map(line => `        ${line}`).join('\n');
}
