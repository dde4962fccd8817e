// The states in which a decoder's levels begin, out of the last states of an encoder's layers.
import type { PlacedLayer } from '../../../experiment/models.ts';
import type { FinishedRun } from '../../inference/finished-run.ts';
import { statesOf } from '../decoder-steps.ts';
import { weightIn } from '../onnx/chain.ts';
import { transposed } from '../onnx/dense.ts';
import type { KerasGraph } from './graph.ts';

/** A level's last states: the layer that gives them, whether it has an LSTM's, and both directions. */
export interface Level {
  layer: string;
  hasCell: boolean;
  both: boolean;
}

/** How a target refers to states. */
interface Words {
  /** one of those that a recurrent layer gives beside its sequence, from 0 */
  state(layer: string, place: number): string;
  /** two directions side by side */
  joined(states: readonly string[]): string;
  zeros(size: number): string;
}

/** What an encoder's recurrent layer calls behind each of its levels. */
export function heard(levels: Level[], { layer, kind }: PlacedLayer) {
  return (_: number, name: string): void => {
    levels.push({
      layer: name,
      hasCell: kind.hasCellState === true,
      both: 'bidirectional' in layer && layer.bidirectional === true,
    });
  };
}

/** @returns one for each state of the decoder, in the order of its layers */
export function firstStates(
  graph: KerasGraph,
  levels: readonly Level[],
  written: readonly PlacedLayer[],
  weights: FinishedRun['weights'],
  words: Words,
): string[] {
  let next = 0;
  return written.flatMap(placed =>
    statesOf(placed).flatMap((states, level) => {
      const given = placed.at.begins ? levels[next++] : undefined;
      return states.map(({ part, size }) =>
        given ? handed(graph, given, part, { placed, level, size }, weights, words) : words.zeros(size),
      );
    }),
  );
}

/** Through the bridge where there is one; c comes of h where no c is given to a bridge. */
function handed(
  graph: KerasGraph,
  { layer: from, hasCell, both }: Level,
  part: 'h' | 'c',
  { placed: { name, layer, at }, level, size }: { placed: PlacedLayer; level: number; size: number },
  weights: FinishedRun['weights'],
  words: Words,
): string {
  const own = (end: string) => weightIn(weights, name, layer, `bridge_${part}_l${level}.${end}`);
  const [weight, bias] = [own('weight'), own('bias')];
  if (part === 'c' && !hasCell && !weight) return words.zeros(size);
  const first = part === 'c' && hasCell ? 1 : 0;
  const states = both ? [first, first + (hasCell ? 2 : 1)] : [first];
  const each = states.map(place => words.state(from, place));
  const state = each.length > 1 ? words.joined(each) : each[0]!;
  if (!weight || !bias) return state;
  const [rows, columns] = weight.shape as [number, number];
  graph.begin(`bridge_${part}_${at.index}_${level}`);
  return graph.add('Dense', state, { units: rows, activation: 'tanh' }, [
    { name: 'kernel', shape: [columns, rows], data: transposed(weight.data, rows, columns) },
    { name: 'bias', shape: [rows], data: bias.data },
  ]);
}
