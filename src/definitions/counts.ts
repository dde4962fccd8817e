// Parameters of recurrent layers as their framework counts them: what is sure, what holds by default, and between which
// bounds they are where several calls, turns of a loop or cells are possible. Where only the input's width is open, the
// count is a function of it.
import { countRecurrent } from '../experiment/framework-cell.ts';
import type { Convention } from '../experiment/schema.ts';
import {
  CELL_NAME,
  type CellKind,
  type FoundLayer,
  type FoundRecurrent,
  type Given,
  type InputFormula,
} from './definition.ts';

type Options = FoundLayer['options'];

/** Sets the counts of a layer from its sizes; `inputSize` is known by now, if it can be. */
export function countParameters(found: FoundRecurrent, convention: Convention, options: Options): void {
  found.parameters = total(found, convention, options, known);
  const isOpen = found.parameters === null;
  found.parametersDefault = isOpen ? total(found, convention, options, usual) : null;
  found.parametersRange = isOpen ? rangeOf(found, convention, options) : null;
  const isNothing = isOpen && found.parametersDefault === null && found.parametersRange === null;
  found.parametersByInput = isNothing ? byInput(found, convention, options) : null;
}

/** All counts are linear in the width of the input: two of them give the line. */
function byInput(found: FoundRecurrent, convention: Convention, options: Options): InputFormula | null {
  if (found.inputSize.value !== null || found.inputSize.called) return null;
  const at = (width: number) => {
    const inputSize = { ...found.inputSize, value: width };
    return total({ ...found, inputSize }, convention, options, known);
  };
  const [one, two] = [at(1), at(2)];
  return one === null || two === null ? null : { fixed: 2 * one - two, perInput: two - one };
}

type Read = <T>(given: Given<T>) => T | null;
const known: Read = given => given.value;
const usual: Read = given => given.value ?? given.fallback;

function total(found: FoundRecurrent, convention: Convention, options: Options, read: Read): number | null {
  const cell = found.cell ?? (read === usual ? found.cellDefault : null);
  return cell ? totalOf(found, cell, convention, options, read) : null;
}

/** null where a size is missing, or none that a layer can have */
function totalOf(
  { units, layers, bidirectional, inputSize, backward, isCell }: FoundRecurrent,
  cell: CellKind,
  convention: Convention,
  options: Options,
  read: Read,
): number | null {
  const [I, H, L, both] = [read(inputSize), read(units), read(layers), read(bidirectional)];
  if (both === null || !isSize(I) || !isSize(H) || !isSize(L)) return null;
  const option = (...names: string[]) => {
    for (const name of names) {
      const given = options.get(name);
      if (given) return { value: read(given) };
    }
    return null;
  };
  const projection = isCell ? null : option('proj_size');
  if (projection && projection.value !== 0) return null;
  const bias = option('bias', 'use_bias', 'useBias');
  // Python takes 1 for True
  if (bias && typeof bias.value !== 'boolean' && typeof bias.value !== 'number') return null;
  const reset = option('reset_after', 'resetAfter')?.value;
  const count = (inputs: number, units: number) => {
    const { total: all, bias: own } = countRecurrent({
      cell: CELL_NAME[cell],
      inputSize: inputs,
      units,
      convention,
      resetAfter: typeof reset === 'boolean' ? reset : undefined,
    });
    return all - (bias && !bias.value ? own : 0);
  };
  if (backward) {
    const other = read(backward.units);
    if (!isSize(other) || backward.cell !== cell) return null;
    return count(I, H) + count(I, other);
  }
  const directions = both ? 2 : 1;
  let sum = 0;
  for (let level = 0; level < L; level++) sum += directions * count(level === 0 ? I : H * directions, H);
  return sum;
}

/** A layer of −4 units or of no levels is none. */
function isSize(value: number | null): value is number {
  return value !== null && Number.isInteger(value) && value > 0;
}

function rangeOf(
  found: FoundRecurrent,
  convention: Convention,
  options: Options,
): readonly [number, number] | null {
  const ways = found.variants.length > 0 ? found.variants : [{ recurrent: found, options }];
  const sizes = ways.flatMap(({ recurrent, options: own }) => {
    const inputSize = sized(recurrent!.inputSize, found.inputSize);
    return ends({ ...recurrent!, inputSize }).map(each => ({ each, own }));
  });
  const counts = sizes.flatMap(({ each, own }) => {
    const cells = each.cell ? [each.cell] : each.cells;
    if (cells.length === 0) return [null];
    return cells.map(cell => totalOf(each, cell, convention, own, usual));
  });
  if (counts.some(count => count === null) || new Set(counts).size < 2) return null;
  return [Math.min(...(counts as number[])), Math.max(...(counts as number[]))];
}

/** The layer with the least and with the most of what a search or several calls give. */
function ends(found: FoundRecurrent): FoundRecurrent[] {
  const { units, layers, inputSize, bidirectional } = found;
  if (!units.called && !layers.called && !inputSize.called && !bidirectional.called) return [found];
  return ([Math.min, Math.max] as const).map(pick => {
    const at = (given: Given<number>): Given<number> => {
      const sizes = (given.called ?? []).map(({ value, fallback }) => value ?? fallback);
      if (sizes.length === 0 || sizes.some(size => size === null)) return given;
      return { ...given, value: pick(...(sizes as number[])) };
    };
    const both = at(bidirectional as unknown as Given<number>).value;
    return {
      ...found,
      units: at(units),
      layers: at(layers),
      inputSize: at(inputSize),
      bidirectional: { ...bidirectional, value: both === null ? null : Boolean(both) },
    };
  });
}

/** In Keras and TensorFlow.js the width of the input is found for all calls at once. */
function sized(own: Given<number>, found: Given<number>): Given<number> {
  return own.value === null && own.fallback === null ? found : own;
}
