// Definitions as plain data, for programs: one object a recurrent layer, or whole models. `units`, `layers` and
// `parameters` are numbers only where they are sure; what holds by default, or in one call of several, stands beside.
import type {
  CellKind,
  FoundLayer,
  FoundModel,
  FoundSequenceLayer,
  Given,
  InputFormula,
  Origin,
} from './definition.ts';

export interface LayerData {
  file: string;
  framework: FoundLayer['framework'];
  /** 1-based, where the constructor's own name stands */
  line: number;
  cell: CellKind | null;
  /** where `cell` is null: those that are possible; absent where any is */
  cells?: readonly CellKind[];
  /** where a caller gives the class: the one that it is otherwise */
  cellDefault?: CellKind;
  isCell: boolean;
  units: number | null;
  /** where units is a parameter: its default */
  unitsDefault?: number;
  /** the least and the most of several calls */
  unitsRange?: [number, number];
  layers: number | null;
  layersDefault?: number;
  bidirectional: boolean | null;
  bidirectionalDefault?: boolean;
  returnSequences?: boolean | null;
  batchFirst?: boolean | null;
  parameters: number | null;
  parametersDefault?: number;
  parametersRange?: readonly [number, number];
  /** where only the width of the input is open */
  parametersByInput?: InputFormula;
  /** the other place that the number of units, or else of inputs or layers, comes from */
  from?: { file: string; line: number };
}

export function layerData(file: string, layer: FoundLayer): LayerData {
  const { units, layers, bidirectional, returnSequences, batchFirst, cell, cells, isCell } = layer.recurrent!;
  const { parameters, parametersDefault, parametersRange, parametersByInput } = layer.recurrent!;
  const from = originOf(layer);
  const range = unitsRange(units);
  return {
    file,
    framework: layer.framework,
    line: layer.range.line,
    cell,
    ...(cell === null && cells.length > 0 ? { cells } : {}),
    ...optional('cellDefault', layer.recurrent!.cellDefault),
    isCell,
    units: units.value,
    ...optional('unitsDefault', units.fallback),
    ...(range ? { unitsRange: range } : {}),
    layers: layers.value,
    ...optional('layersDefault', layers.fallback),
    bidirectional: bidirectional.value,
    ...optional('bidirectionalDefault', bidirectional.fallback),
    ...(layer.framework === 'torch'
      ? { batchFirst: batchFirst?.value ?? null }
      : { returnSequences: returnSequences?.value ?? null }),
    parameters,
    ...optional('parametersDefault', parametersDefault),
    ...(parametersRange ? { parametersRange } : {}),
    ...optional('parametersByInput', parametersByInput),
    ...(from ? { from: { file: from.file ?? file, line: from.line } } : {}),
  };
}

function optional<N extends string, T>(name: N, value: T | null): Partial<Record<N, T>> {
  return value === null ? {} : ({ [name]: value } as Record<N, T>);
}

/** Where the numbers of a layer stand, if not in its own arguments. */
export function originOf({ recurrent }: FoundLayer): Origin | null {
  const { units, inputSize, layers } = recurrent!;
  return units.from ?? inputSize.from ?? layers.from ?? null;
}

/** Of several calls that give different numbers. */
export function unitsRange({ called }: Given<number>): [number, number] | null {
  const values = (called ?? []).map(({ value, fallback }) => value ?? fallback);
  if (values.length === 0 || values.some(value => value === null)) return null;
  return [Math.min(...(values as number[])), Math.max(...(values as number[]))];
}

/** A layer that is named and counted, not trained from code. */
export interface SequenceLayerData {
  file: string;
  framework: FoundLayer['framework'];
  line: number;
  /** the constructor's own */
  name: string;
  isTrained: false;
  cell: null;
  /** the width of what it gives */
  units: number | null;
  unitsDefault?: number;
  parameters: number | null;
  parametersDefault?: number;
  from?: { file: string; line: number };
}

export function sequenceData(file: string, layer: FoundSequenceLayer): SequenceLayerData {
  const { width, parameters, parametersDefault, framework, name, range } = layer;
  const { from } = width;
  return {
    file,
    framework,
    line: range.line,
    name,
    isTrained: false,
    cell: null,
    units: width.value,
    ...optional('unitsDefault', width.fallback),
    parameters,
    ...optional('parametersDefault', parametersDefault),
    ...(from ? { from: { file: from.file ?? file, line: from.line } } : {}),
  };
}

export interface ModelData {
  file: string;
  framework: FoundLayer['framework'];
  kind: FoundModel['kind'];
  name: string;
  line: number;
  layers: { name: string; line: number; options: Record<string, number | string | boolean | null> }[];
}

export function modelData(file: string, { framework, kind, name, range, layers }: FoundModel): ModelData {
  return {
    file,
    framework,
    kind,
    name,
    line: range.line,
    layers: layers.map(layer => ({
      name: layer.name,
      line: layer.range.line,
      options: Object.fromEntries([...layer.options].map(([option, { value }]) => [option, value])),
    })),
  };
}
