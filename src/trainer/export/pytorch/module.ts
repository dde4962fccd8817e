// A run's model as a PyTorch module: the code, and the weights under the names that module gives them. Layouts and
// gate orders are PyTorch's already.
import { addsInput, type PlacedLayer, placeLayers } from '../../../experiment/models.ts';
import { lossAtEveryStep } from '../../../experiment/resources.ts';
import { type InputSize, widthOf } from '../../../experiment/sizes.ts';
import type { NamedTensor } from '../../../runs/safetensors.ts';
import type { FinishedRun } from '../../inference/finished-run.ts';
import { InputError } from '../../training/prepare.ts';
import * as python from '../python.ts';
import { begins, bridgeLines, checkEncoder, ENCODER, handsOn, isDecoder } from './encoder.ts';
import { pytorchOf } from './index.ts';
import type { Exported } from './kind.ts';
import { taskCode } from './tasks/index.ts';

/** @throws InputError naming a layer that has no form in the code that is written */
function exported({ run, sizes }: FinishedRun): Exported[] {
  const layers = placeLayers(run.experiment, sizes).map(placed => {
    const torch = pytorchOf(placed.layer.type);
    const lacking = torch?.lacks?.(placed.layer);
    if (lacking)
      throw new InputError(
        `${lacking} of ${placed.name} has no form in the PyTorch code; export its weights with --format safetensors.`,
      );
    if (torch) return { ...placed, torch };
    throw new InputError(
      `${placed.name} is of type "${placed.layer.type}", which has no form in PyTorch; export its weights with --format safetensors.`,
    );
  });
  if (run.experiment.model.encoder) checkEncoder(layers);
  return layers;
}

/** The run's weights, and those that PyTorch's modules have beside them. */
export function stateDict(opened: FinishedRun): Map<string, NamedTensor> {
  const all = new Map(opened.weights);
  for (const { torch, layer, name } of exported(opened)) torch.addWeights?.(layer, name, all);
  return all;
}

export function modelCode(opened: FinishedRun): string {
  const { run, sizes, step, best } = opened;
  const all = exported(opened);
  const layers = all.filter(isDecoder);
  const encoder = all.filter(placed => !isDecoder(placed));
  const codes = all.map(({ torch, layer, at }) => torch.code?.(layer, at) ?? null);
  const ownModules = [...new Set(codes.filter(code => code !== null))];
  const reads = encoder.length > 0;
  const dates = opened.artifact.task === 'forecast';
  const count = layers.filter(hasState).length;
  return `"""${python.comment(run.name)}: a model trained with Unroll, in plain PyTorch.

Weights: ${best ? 'best validation' : 'last checkpoint'}, step ${step}. Convention: ${run.experiment.model.convention}.

    python model.py                     checks itself against the outputs of the run
    from model import load              model = load()
"""
${dates ? 'import datetime\n' : ''}import json
${dates ? 'import math\n' : ''}import pathlib
import struct
${reads ? 'import unicodedata\n' : ''}
import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent

${ownModules.map(code => `\n${code}\n`).join('')}${reads ? `${ENCODER}\n` : ''}
class Model(nn.Module):
    """${shapeOf(sizes.input)} -> (${endsOnly(opened) ? '1' : 'steps'}, batch, ${sizes.outputs}), and the states to go on with.${reads ? '\n    Sources of a batch have equal length.' : ''}"""

    def __init__(self):
        super().__init__()
${[...(reads ? moduleList('encoder', encoder) : []), ...moduleList('layers', layers), ...bridgeLines(layers)].join('\n')}
${reads ? encodeCode(encoder, opened) : ''}
    def forward(self, x, ${reads ? 'encoded, ' : ''}states=None):
${reads ? beginLines(layers) : `        states = list(states) if states is not None else [None] * ${count}`}
${forwardLines(layers, opened)}
        return x, states


${python.READ_SAFETENSORS.torch}

def load(path=HERE / "model.safetensors"):
    """The trained model, in evaluation mode."""
    model = Model()
    model.load_state_dict(read_safetensors(path))
    return model.eval()

${taskCode(opened)}${python.check(reads)}`;
}

function shapeOf(input: InputSize): string {
  if (input.kind !== 'tokens') return `(steps, batch, ${widthOf(input)}) scaled numbers`;
  const several = idsEach(input);
  return `(steps, batch${several ? `, ${several}` : ''}) symbol ids`;
}

function moduleList(chain: string, layers: readonly Exported[]): string[] {
  const modules = layers.map(({ torch, layer, at }) => `            ${torch.module(layer, at)},`);
  return [`        self.${chain} = nn.ModuleList([`, ...modules, '        ])'];
}

function encodeCode(encoder: readonly Exported[], { sizes }: FinishedRun): string {
  const lines = encoder.flatMap(placed => {
    const { torch, layer, at } = placed;
    const call = `self.encoder[${at.index}](x)`;
    const activation = torch.activation?.(layer) ?? '';
    const before = addsInput(layer) ? 'x + ' : '';
    if (!hasState(placed)) return `x = ${before}${activation ? `${activation}(${call})` : call}`;
    const directions = 'bidirectional' in layer && layer.bidirectional ? 2 : 1;
    return [
      `y, state = ${call}`,
      `x = ${before}${activation ? `${activation}(y)` : 'y'}`,
      ...(handsOn(placed) && torch.lastStates?.(layer) ? [`last += last_states(state, ${directions})`] : []),
    ];
  });
  const source = sizes.source ?? sizes.input;
  return `
    def encode(self, x):
        """${shapeOf(source)} -> what the decoder reads: the states at every step, and the last ones."""
        last = []
${[...oneHotLines(source, encoder[0]!), ...lines].map(line => `        ${line}`).join('\n')}
        return x, last
`;
}

/** The decoder's states at its beginning. */
function beginLines(layers: readonly Exported[]): string {
  let next = 0;
  const states = layers.filter(hasState).map(placed => {
    const { torch, layer, at } = placed;
    const from = next;
    next += at.begins?.length ?? 0;
    if (!begins(placed)) return 'None';
    return `begin(self.layers[${at.index}], "${torch.lastStates!(layer)}", last[${from}:${next}], memory)`;
  });
  return `        memory, last = encoded
        states = list(states) if states is not None else [${states.join(', ')}]`;
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
function idsEach(input: InputSize): number {
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
    idsEach(opened.sizes.input) > 0 && layers[0]!.kind.traits(layers[0]!.layer).reads === 'tokens';
  const last = lastAcross(layers);
  const lines = layers.flatMap(placed => {
    const { torch, layer, at } = placed;
    const call = `self.layers[${at.index}](x${torch.readsMemory ? ', memory' : ''}`;
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
  lines.unshift(...oneHotLines(opened.sizes.input, layers[0]!));
  return lines.map(line => `        ${line}`).join('\n');
}

/** Symbols that no embedding reads. */
function oneHotLines(input: InputSize, first: Exported): string[] {
  if (input.kind !== 'tokens' || first.kind.traits(first.layer).reads === 'tokens') return [];
  return [`x = nn.functional.one_hot(x, ${input.vocabulary}).float()${idsEach(input) > 0 ? '.mean(2)' : ''}`];
}
