// A recurrent layer of an experiment: `layers` levels of one cell, each reading the hidden states of the one below,
// with dropout between them and none after the last (as torch.nn.LSTM(num_layers, dropout, bidirectional) has it).
// Bidirectional: M. Schuster, K. K. Paliwal, 1997, https://doi.org/10.1109/78.650093. Each level reads its sequence from
// both ends with weights of its own, and gives both states of a step side by side: (T, B, 2H), forward first.
// Variables of level k: weight_ih_l<k> (G·H, I, or H or 2H of the level below), weight_hh_l<k> (G·H, H), bias_ih_l<k>,
// bias_hh_l<k> (G·H), and the same with _reverse.
import { concat, type Tensor1D, type Tensor2D, type Tensor3D, type Variable } from '@tensorflow/tfjs-core';
import { kindOf } from '../../experiment/layers/index.ts';
import { directionsOf, type RecurrentLayer } from '../../experiment/schema.ts';
import { join } from '../engine/kernels/join.ts';
import type { RecurrentReport } from '../engine/kernels/recurrent.ts';
import { fusedKernels } from '../engine/storage.ts';
import type { Cell } from './cell.ts';
import { makeCell } from './cells.ts';
import { dropout } from './dropout.ts';
import { initialValues, recurrentInitializers } from './initial.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { type RunnerWeights, runSequence } from './recurrent.ts';

/** One direction of one level. */
interface Reader {
  /** of its variables: "l0", "l0_reverse" */
  suffix: string;
  /** of its probes: "layers.1.0", "layers.1.0-reverse" */
  name: string;
  reverse: boolean;
  weights: RunnerWeights;
}

export function buildRecurrent(layer: RecurrentLayer, place: Place): BuiltLayer {
  const cell = makeCell(layer, place.convention);
  const kind = kindOf(layer);
  const width = directionsOf(layer) * layer.units;
  const levels = Array.from({ length: layer.layers }, (_, level) => {
    const inputSize = level === 0 ? place.input.width : width;
    const directions = layer.bidirectional ? [false, true] : [false];
    const readers = directions.map((reverse): Reader => {
      const suffix = `l${level}${reverse ? '_reverse' : ''}`;
      const name = `${place.name}.${level}${reverse ? '-reverse' : ''}`;
      return { suffix, name, reverse, weights: levelWeights(cell, layer, place, suffix, inputSize) };
    });
    return { inputSize, readers };
  });
  return {
    output: { kind: 'vectors', width, learned: true },
    bidirectional: layer.bidirectional,
    recurrent: levels.flatMap(({ inputSize, readers }) =>
      readers.map(({ name }) => ({
        name,
        cell: cell.name,
        family: kind.family,
        title: kind.title,
        units: layer.units,
        inputSize,
        gates: cell.gates,
        keeps: kind.traits(layer).recurrent?.keeps ?? null,
      })),
    ),
    forward(x, pass) {
      let sequence = x as Tensor3D;
      levels.forEach(({ readers }, level) => {
        if (level > 0)
          sequence = dropout(sequence, layer.dropout, place.seed, `${place.name}.${level - 1}`, pass);
        const inputGradient = level > 0 || place.input.learned;
        const [forward, reverse] = readers.map(reader => read(cell, reader, sequence, inputGradient, pass));
        sequence = reverse ? sideBySide(forward!, reverse) : forward!;
      });
      return sequence;
    },
  };
}

function read(
  cell: Cell,
  { weights, reverse }: Reader,
  x: Tensor3D,
  inputGradient: boolean,
  pass: Pass,
): Tensor3D {
  const { state, report } = pass.nextRecurrent();
  const { lengths } = pass.options;
  const result = runSequence(cell, x, weights, {
    lengths,
    state,
    reverse,
    inputGradient,
    report: report && reverse ? seen => report(inReadingOrder(seen)) : report,
  });
  pass.keepState(result.state);
  return result.y;
}

/** (T, B, H) twice → (T, B, 2H). */
function sideBySide(forward: Tensor3D, reverse: Tensor3D): Tensor3D {
  return fusedKernels() ? join(forward, reverse) : (concat([forward, reverse], 2) as Tensor3D);
}

/** Each row of (…, seqLen) turned round, so that the step read last stands last. */
function inReadingOrder(report: RecurrentReport): RecurrentReport {
  const seqLen = report.hiddenGradNorm.length;
  const turned = Object.entries(report).map(([name, rows]: [string, Float32Array]) => {
    const turnedRows = rows.slice();
    for (let from = 0; from < rows.length; from += seqLen) turnedRows.subarray(from, from + seqLen).reverse();
    return [name, turnedRows];
  });
  return Object.fromEntries(turned) as RecurrentReport;
}

function levelWeights(
  cell: Cell,
  layer: RecurrentLayer,
  place: Place,
  suffix: string,
  inputSize: number,
): RunnerWeights {
  const rows = Math.max(1, cell.gates.length) * layer.units;
  const { input, hidden, bias } = recurrentInitializers(place.convention, layer);
  const draw = (kind: string) => initialValues(place.seed, `${place.name}.${kind}_${suffix}`, [rows], bias);
  const biasIh = draw('bias_ih');
  const biasHh = cell.twoBiases ? draw('bias_hh') : null;
  cell.adjustBiases?.(biasIh, biasHh, layer.units);
  return {
    weightIh: place.variable(`weight_ih_${suffix}`, [rows, inputSize], input) as Variable & Tensor2D,
    weightHh: place.variable(`weight_hh_${suffix}`, [rows, layer.units], hidden) as Variable & Tensor2D,
    biasIh: place.variable(`bias_ih_${suffix}`, [rows], () => biasIh) as Variable & Tensor1D,
    biasHh: biasHh && (place.variable(`bias_hh_${suffix}`, [rows], () => biasHh) as Variable & Tensor1D),
  };
}
