// A recurrent layer of an experiment: `layers` levels of one cell, each reading the hidden states of the one below,
// with dropout between them and none after the last (as torch.nn.LSTM(num_layers, dropout) has it).
// Variables of level k: weight_ih_l<k> (G·H, I or H), weight_hh_l<k> (G·H, H), bias_ih_l<k>, bias_hh_l<k> (G·H).
import type { Tensor1D, Tensor2D, Tensor3D, Variable } from '@tensorflow/tfjs-core';
import type { RecurrentLayer } from '../../experiment/schema.ts';
import type { Cell } from './cell.ts';
import { makeCell } from './cells.ts';
import { dropout } from './dropout.ts';
import { initialValues, recurrentInitializers } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { type RunnerWeights, runSequence } from './recurrent.ts';

export function buildRecurrent(layer: RecurrentLayer, place: Place): BuiltLayer {
  const cell = makeCell(layer, place.convention);
  const levels = Array.from({ length: layer.layers }, (_, level) => {
    const inputSize = level === 0 ? place.input.width : layer.units;
    return { inputSize, weights: levelWeights(cell, layer, place, level, inputSize) };
  });
  return {
    output: { kind: 'vectors', width: layer.units, learned: true },
    recurrent: levels.map(({ inputSize }, level) => ({
      name: `${place.name}.${level}`,
      cell: cell.name,
      units: layer.units,
      inputSize,
      gates: cell.gates,
    })),
    forward(x, pass) {
      let sequence = x as Tensor3D;
      levels.forEach(({ weights }, level) => {
        if (level > 0)
          sequence = dropout(sequence, layer.dropout, place.seed, `${place.name}.${level - 1}`, pass);
        const { state, onReport } = pass.nextRecurrent();
        const { lengths } = pass.options;
        const inputGradient = level > 0 || place.input.learned;
        const result = runSequence(cell, sequence, weights, { lengths, state, inputGradient, onReport });
        pass.keepState(result.state);
        sequence = result.y;
      });
      return sequence;
    },
  };
}

function levelWeights(
  cell: Cell,
  layer: RecurrentLayer,
  place: Place,
  level: number,
  inputSize: number,
): RunnerWeights {
  const rows = Math.max(1, cell.gates.length) * layer.units;
  const { input, hidden, bias } = recurrentInitializers(place.convention, layer);
  const draw = (kind: string) => initialValues(place.seed, `${place.name}.${kind}_l${level}`, [rows], bias);
  const biasIh = draw('bias_ih');
  const biasHh = cell.twoBiases ? draw('bias_hh') : null;
  cell.adjustBiases?.(biasIh, biasHh, layer.units);
  return {
    weightIh: place.variable(`weight_ih_l${level}`, [rows, inputSize], input) as Variable & Tensor2D,
    weightHh: place.variable(`weight_hh_l${level}`, [rows, layer.units], hidden) as Variable & Tensor2D,
    biasIh: place.variable(`bias_ih_l${level}`, [rows], () => biasIh) as Variable & Tensor1D,
    biasHh: biasHh && (place.variable(`bias_hh_l${level}`, [rows], () => biasHh) as Variable & Tensor1D),
  };
}
