// An encoder-decoder as two ONNX graphs. `encoder.onnx` reads sources with their lengths, and gives what the decoder
// looks at and the states that it begins in. `decoder.onnx` reads some steps of targets, one as a rule, with the states
// before them, and gives their logits and the states behind them. Attention that reads where the step before looked reads
// one step at a time. `decoding.json` names what a loop over both needs.
import { type PlacedLayer, placeLayers } from '../../../experiment/models.ts';
import type { FinishedRun } from '../../inference/finished-run.ts';
import { statesOf, uncut } from '../decoder-steps.ts';
import { type Decoding, decodingOf, nextOf, type StateName, stateNames } from '../decoding.ts';
import { addChain, inputPort, noForm, weightIn } from './chain.ts';
import { transposed } from './dense.ts';
import { GraphBuilder } from './graph-builder.ts';
import { onnxOf } from './index.ts';
import type { Carried, CellNames } from './kind.ts';
import { encodedGraph, OUTPUTS } from './model.ts';
import { DATA_TYPES, type Port } from './proto.ts';

const FILES = { encoder: 'encoder.onnx', decoder: 'decoder.onnx' };

/** @throws InputError naming a layer that ONNX has no form of */
export function onnxEncoderDecoder(opened: FinishedRun): {
  encoder: Uint8Array;
  decoder: Uint8Array;
  decoding: Decoding;
} {
  const all = placeLayers(opened.run.experiment, opened.sizes);
  const read = all.filter(({ path }) => path[1] === 'encoder');
  const written = all.filter(({ path }) => path[1] === 'layers');
  for (const placed of all) {
    const lacks = uncut(placed, carriedBy(placed) !== null);
    if (lacks) throw noForm(lacks, placed.name);
  }
  const looks = written.some(({ kind }) => kind.needsEncoder);
  const states = written.flatMap(placed => [...stateNames([placed]), ...carriedStates(placed)]);
  const encoder = encoderGraph(opened, read, written, looks);
  const decoder = decoderGraph(opened, written, looks, states);
  return {
    encoder: encoder.bytes,
    decoder: decoder.bytes,
    decoding: decodingOf(opened, {
      encoder: { file: FILES.encoder, ...encoder.ports },
      decoder: { file: FILES.decoder, ...decoder.ports },
      states,
    }),
  };
}

/** null: its state is a cell's, or has no form */
function carriedBy({ layer, at }: PlacedLayer): Carried[] | null {
  return onnxOf(layer.type)?.carried?.(layer, at) ?? null;
}

function carriedStates(placed: PlacedLayer): StateName[] {
  return (carriedBy(placed) ?? []).map(({ part, size }) => {
    const name = `${placed.name}.${part}`;
    return { name, next: nextOf(name), size };
  });
}

function encoderGraph(
  opened: FinishedRun,
  read: readonly PlacedLayer[],
  written: readonly PlacedLayer[],
  looks: boolean,
) {
  const { sizes, weights } = opened;
  const source = sizes.source ?? sizes.input;
  const graph = new GraphBuilder();
  const last: CellNames[] = [];
  const inside = insideOf(graph);
  const paired = () => ({
    lengths: 'lengths',
    inside,
    memory: null,
    begin: () => null,
    end: (_: number, state: CellNames) => void last.push(state),
    carry: () => null,
  });
  const memory = addChain(graph, read, source, 'source', weights, { paired });
  const outputs: Port[] = [];
  if (looks) {
    graph.end(memory, 'memory');
    graph.end(inside, 'inside');
    const width = read.at(-1)!.at.outputs;
    outputs.push({ name: 'memory', type: 'float', shape: ['source_steps', 'batch', width] });
    outputs.push({ name: 'inside', type: 'bool', shape: ['source_steps', 'batch'] });
  }
  let next = 0;
  for (const placed of written) {
    for (const [level, states] of statesOf(placed).entries()) {
      const given = placed.at.begins ? last[next++] : undefined;
      for (const { name, part, size } of states) {
        const begin = given && handed(graph, given, part, placed, level, weights);
        graph.end(begin ?? zeros(graph, graph.ints(size)), name);
        outputs.push({ name, type: 'float', shape: ['batch', size] });
      }
    }
    for (const { name, size } of carriedStates(placed)) {
      graph.end(zeros(graph, size === 'source_steps' ? sourceSteps(graph) : graph.ints(size)), name);
      outputs.push({ name, type: 'float', shape: ['batch', size] });
    }
  }
  const inputs: Port[] = [
    inputPort('source', source, 'source_steps'),
    { name: 'lengths', type: 'int32', shape: ['batch'] },
  ];
  return { bytes: encodedGraph(opened, graph, { inputs, outputs }), ports: namesOf(inputs, outputs) };
}

/** (1) int64 */
function sourceSteps(graph: GraphBuilder): string {
  return graph.add('Slice', [graph.add('Shape', ['source']), graph.ints(0), graph.ints(1)]);
}

/** (steps, batch) bool */
function insideOf(graph: GraphBuilder): string {
  const steps = graph.add('Squeeze', [sourceSteps(graph)]);
  const [from, by] = [graph.int(0), graph.int(1)];
  const places = graph.add('Unsqueeze', [graph.add('Range', [from, steps, by]), graph.ints(1)]);
  return graph.add('Less', [places, graph.add('Cast', ['lengths'], { to: DATA_TYPES.int64 })]);
}

/** Of the encoder's last state, through the bridge where there is one; c comes of h where no c is given to a bridge. */
function handed(
  graph: GraphBuilder,
  given: CellNames,
  part: 'h' | 'c',
  { name, layer }: PlacedLayer,
  level: number,
  weights: FinishedRun['weights'],
): string | null {
  const own = (end: string) => weightIn(weights, name, layer, `bridge_${part}_l${level}.${end}`);
  const [weight, bias] = [own('weight'), own('bias')];
  if (!weight || !bias) return given[part] ?? null;
  const [rows, columns] = weight.shape as [number, number];
  const matrix = graph.floats(transposed(weight.data, rows, columns), [columns, rows]);
  const product = graph.add('MatMul', [given[part] ?? given.h, matrix]);
  return graph.add('Tanh', [graph.add('Add', [product, graph.tensor(bias)])]);
}

/** `size`: (1) int64. @returns (batch, size) */
function zeros(graph: GraphBuilder, size: string): string {
  const batch = graph.add('Shape', ['lengths']);
  return graph.add('ConstantOfShape', [graph.add('Concat', [batch, size], { axis: 0 })]);
}

function decoderGraph(
  opened: FinishedRun,
  written: readonly PlacedLayer[],
  looks: boolean,
  states: readonly StateName[],
) {
  const { sizes, weights } = opened;
  const graph = new GraphBuilder();
  const memory = looks ? { states: 'memory', inside: 'inside' } : null;
  const paired = (placed: PlacedLayer) => {
    const at = (level: number, part: 'h' | 'c') => `${placed.name}.${level}.${part}`;
    const hasCell = placed.kind.hasCellState === true;
    return {
      lengths: null,
      inside: null,
      memory,
      begin: (level: number) => ({ h: at(level, 'h'), ...(hasCell && { c: at(level, 'c') }) }),
      end(level: number, { h, c }: CellNames) {
        graph.end(h, nextOf(at(level, 'h')));
        if (c) graph.end(c, nextOf(at(level, 'c')));
      },
      carry(part: string) {
        const own = carriedStates(placed).find(({ name }) => name === `${placed.name}.${part}`);
        return own ? { before: own.name, after: (state: string) => graph.end(state, own.next) } : null;
      },
    };
  };
  const y = addChain(graph, written, sizes.input, 'x', weights, { paired });
  graph.end(y, OUTPUTS);
  const width = written[0]!.at.memory!;
  const steps = written.flatMap(placed => carriedBy(placed) ?? []).some(({ isSingle }) => isSingle)
    ? 1
    : 'steps';
  const inputs: Port[] = [
    inputPort('x', sizes.input, steps),
    ...(looks
      ? [
          { name: 'memory', type: 'float' as const, shape: ['source_steps', 'batch', width] },
          { name: 'inside', type: 'bool' as const, shape: ['source_steps', 'batch'] },
        ]
      : []),
    ...states.map(({ name, size }) => ({ name, type: 'float' as const, shape: ['batch', size] })),
  ];
  const outputs: Port[] = [
    { name: OUTPUTS, type: 'float', shape: [steps, 'batch', sizes.outputs] },
    ...states.map(({ next, size }) => ({ name: next, type: 'float' as const, shape: ['batch', size] })),
  ];
  return { bytes: encodedGraph(opened, graph, { inputs, outputs }), ports: namesOf(inputs, outputs) };
}

function namesOf(inputs: readonly Port[], outputs: readonly Port[]) {
  const names = (ports: readonly Port[]) => ports.map(({ name }) => name);
  return { inputs: names(inputs), outputs: names(outputs) };
}
