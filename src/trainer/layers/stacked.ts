// A recurrent layer of an experiment: `layers` levels of one cell, each reading the hidden states of the one below,
// with dropout between them and none after the last (as torch.nn.LSTM(num_layers, dropout, bidirectional) has it).
// Bidirectional: M. Schuster, K. K. Paliwal, 1997, https://doi.org/10.1109/78.650093. Each level reads its sequence from
// both ends with weights of its own, and gives both states of a step side by side: (T, B, 2H), forward first, or their
// sum, mean or product (T, B, H). Residuals: x_t + y_t of each level but the first (Y. Wu et al., 2016,
// https://arxiv.org/abs/1609.08144).
// Variables of level k: weight_ih_l<k> (G·H, I, or the width of the level below), weight_hh_l<k> (G·H, H), bias_ih_l<k>,
// bias_hh_l<k> (G·H), and the same with _reverse. LSTM by choice: weight_hr_l<k> (P, H) with weight_hh_l<k> (G·H, P),
// peephole_l<k> (3H or 2H), norm_ih_l<k> and norm_hh_l<k> (G·H), norm_c_l<k> and norm_c_bias_l<k> (H).
import {
  add,
  concat,
  reshape,
  slice,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Variable,
  zeros as zerosOf,
} from '@tensorflow/tfjs-core';
import { kindOf } from '../../experiment/layers/index.ts';
import { directionsOf, mergedWidth } from '../../experiment/layers/recurrent.ts';
import type { RecurrentLayer } from '../../experiment/schema.ts';
import type { RecurrentReport } from '../engine/kernels/recurrent.ts';
import { randomStream } from '../random.ts';
import { blocksOf, type Cell, type CellState } from './cell.ts';
import { makeCell } from './cells.ts';
import { dropout } from './dropout.ts';
import { type Initializer, initialValues, ones, recurrentInitializers, uniform, zeros } from './initial.ts';
import { joined } from './joined.ts';
import { lastStep } from './last-step.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { projection, type Sequence } from './linear-recurrence.ts';
import { type Merge, merged } from './merged-directions.ts';
import { activation } from './operations.ts';
import { type RunnerResult, type RunnerWeights, renewed, runSequence } from './recurrent.ts';
import { drawMasks } from './recurrent-masks.ts';
import { matrixMap, type StateMap } from './state-maps.ts';

/** One direction of one level. */
interface Reader {
  /** of its variables: "l0", "l0_reverse" */
  suffix: string;
  /** of its probes: "layers.1.0", "layers.1.0-reverse" */
  name: string;
  reverse: boolean;
  weights: RunnerWeights;
  /** the learned state that each sequence begins in */
  initial: Initial | null;
}

interface Initial {
  h: Variable;
  c?: Variable;
}

export function buildRecurrent(layer: RecurrentLayer, place: Place): BuiltLayer {
  const cell = makeCell(layer, place.convention);
  const kind = kindOf(layer);
  const width = directionsOf(layer) * layer.units;
  const output = mergedWidth(layer, variantOf(layer).projection ?? layer.units);
  const merge = mergeOf(layer);
  const begin = layer.initialState ?? (place.memory === null ? 'zeros' : 'encoder');
  const levels = Array.from({ length: layer.layers }, (_, level) => {
    const inputSize = level === 0 ? place.input.width : output;
    const directions = layer.bidirectional ? [false, true] : [false];
    return directions.map((reverse): Reader => {
      const suffix = `l${level}${reverse ? '_reverse' : ''}`;
      const name = `${place.name}.${level}${reverse ? '-reverse' : ''}`;
      const weights = levelWeights(cell, layer, place, suffix, inputSize);
      const initial = begin === 'learned' ? learnedState(cell, layer, place, suffix) : null;
      return { suffix, name, reverse, weights, initial };
    });
  });
  const readers = levels.flat();
  const bridges = levels.map((_, level) =>
    bridgeOf(cell, place, level, layer.bridge && begin === 'encoder' ? width : null),
  );
  return {
    output: { kind: 'vectors', width: output, learned: true },
    bidirectional: layer.bidirectional,
    givesEnds: merge !== null,
    levels: readers.map(({ name }) => ({
      name,
      family: kind.family,
      title: kind.title,
      units: layer.units,
      gates: cell.gates,
      keeps: kind.traits(layer).recurrent?.keeps ?? null,
    })),
    maps: readers.flatMap(reader => mapsOf(cell, reader)),
    states: readers.flatMap(({ name }) =>
      partsOf(cell).map(part => ({ name: `${name}.${part}`, size: layer.units })),
    ),
    forward(x, pass) {
      let sequence = x as Tensor3D;
      levels.forEach((directions, level) => {
        const below = sequence;
        if (level > 0)
          sequence = dropout(sequence, layer.dropout, place.seed, `${place.name}.${level - 1}`, pass);
        const inputGradient = level > 0 || place.input.learned;
        const given = begin === 'encoder' ? pass.nextEncoded() : null;
        const encoded = given && bridges[level]!(given);
        const [forward, reverse] = directions.map((reader, index) =>
          read(
            cell,
            { layer, place, reader },
            sequence,
            { inputGradient, encoded: encoded && halfOf(encoded, index, directions.length) },
            pass,
          ),
        );
        const y = reverse ? joined(forward!.y, reverse.y) : forward!.y;
        // the directions end at different steps, and are cut out before they are one
        const ends = merge !== null && pass.endsOnly && level === levels.length - 1;
        const { lengths } = pass.options;
        const halves = ends ? lastStep(y, lengths, true) : y;
        sequence = merge ? merged(halves, merge) : halves;
        if (layer.residual && level > 0)
          sequence = add(sequence, ends ? lastStep(below, lengths, false) : below);
        if (pass.handOn) pass.handOn(reverse ? bothLast(forward!.last!, reverse.last!) : forward!.last!);
      });
      return sequence;
    },
  };
}

/** A matrix for each gate; a projected state has none that is square. */
function mapsOf({ gates }: Cell, { name, weights: { weightHh } }: Reader): StateMap[] {
  const blocks = gates.length === 0 ? [name] : gates.map(gate => `${name} ${gate}`);
  const [rows, size] = weightHh.shape;
  if (rows !== blocks.length * size) return [];
  return blocks.map((block, at) => matrixMap(block, size, () => weightHh, at));
}

/** null: side by side, or one direction alone */
function mergeOf({ bidirectional, merge = 'concat' }: RecurrentLayer): Merge | null {
  return bidirectional && merge !== 'concat' ? merge : null;
}

function partsOf({ hasCellState }: Cell): ('h' | 'c')[] {
  return hasCellState ? ['h', 'c'] : ['h'];
}

/**
 * A state of every sequence's beginning that is learned: initial_h_<level> and initial_c_<level> (H), zeros at first. With
 * layer norm h is drawn, because the slope of a norm at zeros is 1/√ε.
 */
function learnedState(cell: Cell, layer: RecurrentLayer, place: Place, suffix: string): Initial {
  const make = (part: string, initializer: Initializer) =>
    place.variable(`initial_${part}_${suffix}`, [layer.units], initializer);
  const h = make('h', variantOf(layer).layerNorm ? uniform(1 / Math.sqrt(layer.units)) : zeros);
  return { h, ...(cell.hasCellState ? { c: make('c', zeros) } : {}) };
}

/**
 * tanh(W s + b) of each part of a state: bridge_<part>_l<k>.weight (H, S) and .bias (H); c comes of h where no c is given. `width`
 * null: without a bridge, what both cells have is handed on.
 */
function bridgeOf(
  cell: Cell,
  place: Place,
  level: number,
  width: number | null,
): (state: CellState) => CellState {
  const given = place.begins[level] ?? null;
  if (given === null || width === null) return state => (cell.hasCellState ? state : { h: state.h });
  const [h, c] = partsOf(cell).map(part => projection(place, `bridge_${part}_l${level}`, width, given));
  const through = (map: Sequence, state: Tensor2D) => {
    const [batch, size] = state.shape;
    return reshape(activation('tanh', map(reshape(state, [1, batch, size]))), [batch, width]) as Tensor2D;
  };
  return state => ({
    h: through(h!, state.h),
    ...(c ? { c: through(c, state.c ?? state.h) } : {}),
  });
}

function read(
  cell: Cell,
  { layer, place, reader }: { layer: RecurrentLayer; place: Place; reader: Reader },
  x: Tensor3D,
  { inputGradient, encoded }: { inputGradient: boolean; encoded: CellState | null },
  pass: Pass,
): RunnerResult {
  const { weights, reverse, name, initial } = reader;
  const [seqLen, batch, inputSize] = x.shape;
  const sizes = { seqLen, batch, inputSize, units: layer.units };
  const [h, c] = [pass.state(`${name}.h`), pass.state(`${name}.c`)];
  const report = pass.report(name);
  const result = runSequence(cell, x, withDroppedWeights(weights, layer, place, name, pass), {
    masks: drawMasks(layer, cell, name, place.seed, sizes, pass),
    lengths: pass.options.lengths,
    state: h && (c ? { h, c } : { h }),
    initial: encoded ?? (initial && everySequence(initial, batch)),
    lastStates: pass.handOn !== null,
    reverse,
    inputGradient,
    report: report && reverse ? seen => report(inReadingOrder(seen)) : report,
  });
  pass.keep(`${name}.h`, result.state.h);
  if (result.state.c) pass.keep(`${name}.c`, result.state.c);
  return result;
}

/** DropConnect on W_hh: S. Merity et al., 2017, https://arxiv.org/abs/1708.02182. */
function withDroppedWeights(
  weights: RunnerWeights,
  { weightDrop = 0 }: RecurrentLayer,
  place: Place,
  name: string,
  pass: Pass,
): RunnerWeights {
  if (weightDrop === 0 || !pass.options.training) return weights;
  const weightHh = dropout(weights.weightHh, weightDrop, place.seed, `${name}.weight_hh`, pass);
  return renewed({ ...weights, weightHh });
}

/** (H) → (B, H), with the gradients of all sequences. */
function everySequence({ h, c }: Initial, batch: number): CellState {
  const spread = (row: Variable): Tensor2D => add(zerosOf([batch, row.shape[0]!]), row);
  return c ? { h: spread(h), c: spread(c) } : { h: spread(h) };
}

/** (B, H) twice → (B, 2H). */
function bothLast(forward: CellState, reverse: CellState): CellState {
  const both = (a: Tensor2D, b: Tensor2D) => concat([a, b], 1);
  const h = both(forward.h, reverse.h);
  return forward.c && reverse.c ? { h, c: both(forward.c, reverse.c) } : { h };
}

/** What a direction takes of the encoder's last state. */
function halfOf(state: CellState, index: number, directions: number): CellState {
  if (directions === 1) return state;
  const half = (values: Tensor2D) => {
    const units = values.shape[1] / directions;
    return slice(values, [0, index * units], [values.shape[0], units]);
  };
  return state.c ? { h: half(state.h), c: half(state.c) } : { h: half(state.h) };
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
  const { units } = layer;
  const blocks = blocksOf(cell);
  const rows = blocks * units;
  const { projection, peephole, layerNorm } = variantOf(layer);
  const { input, hidden, bias } = recurrentInitializers(place.convention, layer);
  const draw = (kind: string) => initialValues(place.seed, `${place.name}.${kind}_${suffix}`, [rows], bias);
  const biasIh = draw('bias_ih');
  const biasHh = cell.twoBiases ? draw('bias_hh') : null;
  cell.adjustBiases?.(
    biasIh,
    biasHh,
    units,
    randomStream(place.seed, `init/${place.name}.chrono_${suffix}`, 0),
  );
  const matrix = (kind: string, shape: number[], initializer: Initializer) =>
    place.variable(`${kind}_${suffix}`, shape, initializer) as Variable & Tensor2D;
  const vector = (kind: string, size: number, initializer: Initializer) =>
    place.variable(`${kind}_${suffix}`, [size], initializer) as Variable & Tensor1D;
  return {
    weightIh: matrix('weight_ih', [rows, inputSize], input),
    weightHh: matrix('weight_hh', [rows, projection ?? units], hidden),
    biasIh: vector('bias_ih', rows, () => biasIh),
    biasHh: biasHh && vector('bias_hh', rows, () => biasHh),
    weightHr: projection ? matrix('weight_hr', [projection, units], input) : null,
    peephole: peephole ? vector('peephole', (blocks - 1) * units, zeros) : null,
    norms: layerNorm
      ? {
          input: vector('norm_ih', rows, ones),
          hidden: vector('norm_hh', rows, ones),
          cellWeight: vector('norm_c', units, ones),
          cellBias: vector('norm_c_bias', units, zeros),
        }
      : null,
  };
}

/** The fields that only an LSTM has. */
function variantOf(layer: RecurrentLayer): {
  projection?: number | undefined;
  peephole?: boolean | undefined;
  layerNorm?: boolean | undefined;
} {
  return layer.type === 'lstm' ? layer : {};
}
