// An encoder-decoder as two layers models of TensorFlow.js. The encoder reads sources of one length, since the library's
// convolutions and poolings know no masks, and gives what the decoder looks at and the states that it begins in. The
// decoder reads one step of targets or several, with the states before them.
import type { PlacedLayer } from '../../../experiment/models.ts';
import type { FinishedRun } from '../../inference/finished-run.ts';
import { statesOf } from '../decoder-steps.ts';
import { type Decoding, decodingOf, stateNames } from '../decoding.ts';
import { firstStates, heard, type Level } from './first-states.ts';
import { KerasGraph } from './graph.ts';
import { addChain, halvesOf } from './model.ts';
import { inputOf, modelOf, outputAt, type Port } from './tfjs.ts';

const MEMORY = 'memory';

/** @throws InputError naming a layer that TensorFlow.js has no form of */
export function layersEncoderDecoder(opened: FinishedRun): {
  files: Record<string, string | Uint8Array>;
  decoding: Decoding;
} {
  const { read, written } = halvesOf(opened, 'tfjs');
  const looks = written.some(({ kind }) => kind.needsEncoder);
  const encoder = encoderOf(opened, read, written, looks);
  const decoder = decoderOf(opened, written, looks);
  return {
    files: { ...encoder.files, ...decoder.files },
    decoding: decodingOf(opened, {
      encoder: encoder.part,
      decoder: decoder.part,
      states: stateNames(written),
    }),
  };
}

function encoderOf(
  opened: FinishedRun,
  read: readonly PlacedLayer[],
  written: readonly PlacedLayer[],
  looks: boolean,
) {
  const { sizes, weights } = opened;
  const graph = new KerasGraph('tfjs');
  const source = sizes.source ?? sizes.input;
  const levels: Level[] = [];
  const memory = addChain(graph, read, source, 'source', weights, {
    prefix: 'encoder_',
    paired: placed => ({ mask: null, begin: () => null, end: heard(levels, placed) }),
  });
  graph.begin('states');
  const begins = firstStates(graph, levels, written, weights, {
    state: (layer, place) => outputAt(layer, place + 1),
    joined: states => graph.add('Concatenate', states, { axis: -1 }),
    zeros: size => zeros(graph, memory, read.at(-1)!.at.outputs, size),
  });
  const names = stateNames(written).map(({ name }) => name);
  return partOf('encoder', graph, {
    inputs: [inputOf('source', source)],
    outputs: [...(looks ? [memory] : []), ...begins],
    names: [...(looks ? [MEMORY] : []), ...names],
  });
}

/** (batch, size): the mean of all steps, by a matrix of zeros. */
function zeros(graph: KerasGraph, x: string, width: number, size: number): string {
  const mean = graph.add('GlobalAveragePooling1D', x);
  return graph.add('Dense', mean, { units: size, activation: 'linear', use_bias: false }, [
    { name: 'kernel', shape: [width, size], data: new Float32Array(width * size) },
  ]);
}

function decoderOf({ sizes, weights }: FinishedRun, written: readonly PlacedLayer[], looks: boolean) {
  const graph = new KerasGraph('tfjs');
  const after: string[] = [];
  const y = addChain(graph, written, sizes.input, 'x', weights, {
    prefix: 'decoder_',
    paired: placed => {
      const own = statesOf(placed);
      return {
        mask: null,
        begin: level => own[level]!.map(({ name }) => name),
        end: (level, layer) => after.push(...own[level]!.map((_, place) => outputAt(layer, place + 1))),
      };
    },
  });
  const states = stateNames(written);
  return partOf('decoder', graph, {
    inputs: [
      inputOf('x', sizes.input),
      ...(looks
        ? [{ name: MEMORY, shape: [null, written[0]!.at.memory!], dtype: 'float32' } satisfies Port]
        : []),
      ...states.map(({ name, size }): Port => ({ name, shape: [size], dtype: 'float32' })),
    ],
    outputs: [y, ...after],
    names: ['outputs', ...states.map(({ next }) => next)],
  });
}

/** `names`: what `decoding.json` calls the outputs, which TensorFlow.js knows by their order. */
function partOf(
  name: string,
  graph: KerasGraph,
  { inputs, outputs, names }: { inputs: readonly Port[]; outputs: readonly string[]; names: string[] },
) {
  const [file, weightsFile] = [`${name}.json`, `${name}.weights.bin`];
  const { topology, weights } = modelOf(graph.nodes, name, weightsFile, { inputs, outputs });
  return {
    files: { [file]: topology, [weightsFile]: weights },
    part: { file, inputs: inputs.map(({ name }) => name), outputs: names },
  };
}
