// Definitions as plain data, for programs: one object a recurrent layer, or whole models.
import type { FoundLayer, FoundModel } from './definition.ts';

export interface LayerData {
  file: string;
  framework: FoundLayer['framework'];
  /** 1-based, where the constructor's own name stands */
  line: number;
  cell: 'LSTM' | 'GRU' | 'RNN' | null;
  isCell: boolean;
  units: number | null;
  /** where units is a parameter: its default */
  unitsDefault?: number;
  layers: number | null;
  bidirectional: boolean | null;
  returnSequences?: boolean | null;
  batchFirst?: boolean | null;
  parameters: number | null;
}

export function layerData(file: string, layer: FoundLayer): LayerData {
  const { units, layers, bidirectional, returnSequences, batchFirst, cell, isCell, parameters } =
    layer.recurrent!;
  return {
    file,
    framework: layer.framework,
    line: layer.range.line,
    cell,
    isCell,
    units: units.value,
    ...(units.fallback === null ? {} : { unitsDefault: units.fallback }),
    layers: layers.value,
    bidirectional: bidirectional.value,
    ...(layer.framework === 'torch'
      ? { batchFirst: batchFirst?.value ?? null }
      : { returnSequences: returnSequences?.value ?? null }),
    parameters,
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
