// Units behind a ReLU that give 0 at every step of every sequence of a batch: no gradient comes through them.

import type { Tensor } from '@tensorflow/tfjs-core';
import { kindOf } from '../../experiment/layers/index.ts';
import type { Experiment, Layer } from '../../experiment/schema.ts';
import { SERIES } from '../../runs/series-names.ts';
import { glance } from '../engine/storage.ts';
import type { Probe } from './probe.ts';

export const deadUnits: Probe = {
  name: SERIES.deadUnits,
  open({ experiment, intervals }) {
    const layers = rectifiedLayers(experiment);
    if (layers.length === 0 || intervals.gates === 0) return null;
    let units = new DeadUnits(layers);
    return {
      sidecars: [
        {
          name: SERIES.deadUnits,
          view: 'shares',
          width: layers.length,
          axes: [{ name: 'relu', size: layers.length, labels: [...layers] }],
          layers: [],
          unit: 'share of units that are 0 at every step of every sequence of the batch',
        },
      ],
      every: intervals.gates,
      begin() {
        units = new DeadUnits(layers);
      },
      watch: { output: (name, _from, output) => units.look(name, output) },
      rows: () => new Map([[SERIES.deadUnits, units.shares]]),
    };
  },
};

/** Layers of the experiment whose output a ReLU gives; of a stack its last level. */
export function rectifiedLayers({ model }: Experiment): string[] {
  return model.layers.flatMap((layer, index) => (isRectified(layer) ? [`layers.${index}`] : []));
}

function isRectified(layer: Layer): boolean {
  if ('residual' in layer && layer.residual) return false;
  return kindOf(layer).rectified ?? ('activation' in layer && layer.activation === 'relu');
}

/** The share of dead units of each layer in one batch, which may come in several stretches of time. */
export class DeadUnits {
  private readonly alive: ReadonlyMap<string, { units: Set<number>; width: number }>;

  constructor(layers: readonly string[]) {
    this.alive = new Map(layers.map(name => [name, { units: new Set(), width: 0 }]));
  }

  look(name: string, outputOf: () => Tensor): void {
    const seen = this.alive.get(name);
    if (!seen) return;
    const output = outputOf();
    const values = glance(output);
    const width = (seen.width = output.shape.at(-1)!);
    // a healthy layer has shown all its units after a few steps
    for (let i = 0; i < values.length && seen.units.size < width; i++)
      if (values[i] !== 0) seen.units.add(i % width);
  }

  get shares(): Float32Array {
    return Float32Array.from(this.alive.values(), ({ units, width }) => 1 - units.size / width);
  }
}
