// An encoder-decoder as Keras code: two functional models, whose weights are in Keras's layouts under the names of their
// layers, "encoder_gru_1/0", in the order of `get_weights`.
import type { PlacedLayer } from '../../../experiment/models.ts';
import type { NamedTensor } from '../../../runs/safetensors.ts';
import type { FinishedRun } from '../../inference/finished-run.ts';
import { statesOf } from '../decoder-steps.ts';
import * as python from '../python.ts';
import { mostSteps, SYMBOLS, TEXT_OF } from '../pytorch/tasks/pairs.ts';
import { ATTENTION_CODE } from './attention.ts';
import { firstStates, heard, type Level } from './first-states.ts';
import { type Config, KerasGraph, type KerasNode } from './graph.ts';
import { addChain, halvesOf } from './model.ts';

/** @throws InputError naming a layer that Keras has no form of */
export function kerasEncoderDecoder(opened: FinishedRun): {
  code: string;
  weights: Map<string, NamedTensor>;
} {
  const { read, written } = halvesOf(opened, 'keras');
  const encoder = encoderOf(opened, read, written);
  const decoder = decoderOf(opened, written);
  const nodes = [...encoder.nodes, ...decoder.nodes];
  return { code: codeOf(opened, encoder, decoder), weights: weightsOf(nodes) };
}

interface Part {
  nodes: readonly KerasNode[];
  /** lines that stand before its layers, and expressions of what it gives */
  inputs: readonly string[];
  outputs: readonly string[];
  reads: readonly string[];
}

function encoderOf(opened: FinishedRun, read: readonly PlacedLayer[], written: readonly PlacedLayer[]): Part {
  const { sizes, weights } = opened;
  const graph = new KerasGraph('keras');
  const levels: Level[] = [];
  const memory = addChain(graph, read, sizes.source ?? sizes.input, 'source', weights, {
    prefix: 'encoder_',
    paired: placed => ({ mask: 'inside', begin: () => null, end: heard(levels, placed) }),
  });
  const begins = firstStates(graph, levels, written, weights, {
    state: (layer, place) => `${layer}_states[${place}]`,
    joined: states => `ops.concatenate([${states.join(', ')}], 1)`,
    zeros: size => `zeros_of(lengths, ${size})`,
  });
  return {
    nodes: graph.nodes,
    inputs: [
      'source = keras.Input((None,), dtype="int32", name="source")',
      'lengths = keras.Input((), dtype="int32", name="lengths")',
      'inside = ops.cumsum(ops.ones_like(source), axis=1) <= ops.expand_dims(lengths, 1)',
    ],
    reads: ['source', 'lengths'],
    outputs: [
      ...(looks(written) ? [`ops.where(ops.expand_dims(inside, 2), ${memory}, 0.0)`, 'inside'] : []),
      ...begins,
    ],
  };
}

function looks(written: readonly PlacedLayer[]): boolean {
  return written.some(({ kind }) => kind.needsEncoder);
}

function decoderOf({ sizes, weights }: FinishedRun, written: readonly PlacedLayer[]): Part {
  const graph = new KerasGraph('keras');
  const after: string[] = [];
  const states = written.flatMap(placed => statesOf(placed).flat());
  const variable = (name: string) => name.replaceAll('.', '_');
  const y = addChain(graph, written, sizes.input, 'x', weights, {
    prefix: 'decoder_',
    paired: placed => {
      const own = statesOf(placed);
      return {
        mask: null,
        begin: level => own[level]!.map(({ name }) => variable(name)),
        end: (level, layer) => after.push(...own[level]!.map((_, place) => `${layer}_states[${place}]`)),
      };
    },
  });
  const memory = looks(written)
    ? [
        `memory = keras.Input((None, ${written[0]!.at.memory}), name="memory")`,
        'inside = keras.Input((None,), dtype="bool", name="inside")',
      ]
    : [];
  return {
    nodes: graph.nodes,
    inputs: [
      'x = keras.Input((None,), dtype="int32", name="x")',
      ...memory,
      ...states.map(
        ({ name, size }) => `${variable(name)} = keras.Input((${size},), name="${variable(name)}")`,
      ),
    ],
    reads: [
      'x',
      ...(looks(written) ? ['memory', 'inside'] : []),
      ...states.map(({ name }) => variable(name)),
    ],
    outputs: [y, ...after],
  };
}

function weightsOf(nodes: readonly KerasNode[]): Map<string, NamedTensor> {
  const entries = nodes.flatMap(({ name, weights }) =>
    weights.map(({ shape, data }, place): [string, NamedTensor] => [
      `${name}/${place}`,
      { shape: [...shape], data },
    ]),
  );
  return new Map(entries);
}

function lineOf({ className, name, config, from, beside }: KerasNode): string {
  const made = `${className === 'Attention' ? '' : 'keras.layers.'}${constructed(className, config)}`;
  const read = className === 'Add' ? `[${from.join(', ')}]` : from.join(', ');
  const given = Object.entries(beside ?? {}).map(
    ([key, value]) => `, ${key}=${typeof value === 'string' ? value : `[${value.join(', ')}]`}`,
  );
  return `${name}${beside ? `, *${name}_states` : ''} = ${made}(${read}${given.join('')})`;
}

function constructed(className: string, config: Config): string {
  const { layer, ...own } = config as { layer?: { class_name: string; config: Config } };
  const named = Object.entries(own).map(([key, value]) => `${key}=${literal(value)}`);
  const inner = layer ? [`keras.layers.${constructed(layer.class_name, layer.config)}`] : [];
  return `${className}(${[...inner, ...named].join(', ')})`;
}

function literal(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value === null) return 'None';
  if (Array.isArray(value)) return `(${value.map(each => `${literal(each)},`).join(' ')})`;
  return JSON.stringify(value);
}

function partCode(name: string, { inputs, nodes, reads, outputs }: Part): string {
  const lines = [
    ...inputs,
    ...nodes.map(lineOf),
    `${name} = keras.Model([${reads.join(', ')}], [${outputs.join(', ')}])`,
  ];
  return lines.map(line => `    ${line}\n`).join('');
}

function codeOf(opened: FinishedRun, encoder: Part, decoder: Part): string {
  const { run, step, best } = opened;
  const own = decoder.nodes.some(({ className }) => className === 'Attention') ? ATTENTION_CODE : '';
  return `"""${python.comment(run.name)}: an encoder-decoder trained with Unroll, in Keras 3.

Weights: ${best ? 'best validation' : 'last checkpoint'}, step ${step}. Convention: ${run.experiment.model.convention}.

    python model.py                     checks itself against the outputs of the run
    from model import load, translate   encoder, decoder = load()
"""
import json
import pathlib
import struct
import unicodedata

import keras
import numpy as np
from keras import ops

HERE = pathlib.Path(__file__).resolve().parent


${own}def zeros_of(lengths, size):
    """(batch, size)"""
    return ops.tile(ops.zeros_like(ops.expand_dims(ops.cast(lengths, "float32"), 1)), (1, size))


def several(outputs):
    """Keras gives one output bare."""
    return outputs if isinstance(outputs, (list, tuple)) else [outputs]


def build():
    """The encoder: source (batch, steps) ids and lengths (batch) -> what the decoder reads beside its symbols.
    The decoder: x (batch, steps) ids, ${looksIn(decoder) ? 'memory, inside, ' : ''}states -> logits (batch, steps, symbols), and the next states."""
${partCode('encoder', encoder)}
${partCode('decoder', decoder)}    return encoder, decoder


${python.READ_SAFETENSORS.numpy}

def load(path=HERE / "model.safetensors"):
    """The trained models."""
    arrays = read_safetensors(path)
    models = build()
    for layer in [layer for model in models for layer in model.layers]:
        layer.set_weights([arrays[f"{layer.name}/{place}"] for place in range(len(layer.weights))])
    return models

${SYMBOLS}

def translate(encoder, decoder, text):
    """The most likely symbol at each step until the end, as the run's own model writes it."""
    ids = source_ids(text)
    given = several(encoder([ops.convert_to_tensor([ids], "int32"), ops.convert_to_tensor([len(ids)], "int32")]))
    symbol, written = START, []
    for _ in range(${mostSteps(opened)}):
        logits, *states = several(decoder([ops.convert_to_tensor([[symbol]], "int32"), *given]))
        given = [*given[: len(given) - len(states)], *states]
        symbol = int(ops.argmax(logits[0, -1]))
        if symbol == END:
            break
        written.append(TASK["targetSymbols"][symbol])
    return text_of(written)
${TEXT_OF}${CHECK}`;
}

function looksIn({ reads }: Part): boolean {
  return reads.includes('memory');
}

const CHECK = `

def check(encoder, decoder):
    """Compares with what the run's own model said to a fixed input; also in two parts, with the states between."""
    reference = json.loads((HERE / "reference.json").read_text(encoding="utf-8"))

    def batch_first(part):
        return ops.convert_to_tensor(np.array(part["input"], "int32").reshape(part["shape"]).T)

    source, x = batch_first(reference["source"]), batch_first(reference)
    given = several(encoder([source, ops.full((source.shape[0],), source.shape[1], "int32")]))
    half = x.shape[1] // 2
    first, *states = several(decoder([x[:, :half], *given]))
    second = several(decoder([x[:, half:], *given[: len(given) - len(states)], *states]))[0]
    whole = several(decoder([x, *given]))[0]
    expected = np.array(reference["outputs"]).reshape(x.shape[1], x.shape[0], -1).swapaxes(0, 1)
    scale = np.maximum(1, np.abs(expected))
    found = [ops.convert_to_numpy(each) for each in (whole, ops.concatenate([first, second], 1))]
    return max((np.abs(each - expected) / scale).max() for each in found), reference["tolerance"]


if __name__ == "__main__":
    difference, tolerance = check(*load())
    print(f"largest difference from the run's own outputs: {difference:.1e} (tolerance {tolerance:.0e})")
    raise SystemExit(0 if difference <= tolerance else "model.py and the run disagree")
`;
