// From the rows of a run's series, as they are written, to what the findings look at.
import type { SeriesSidecar } from '../runs/format.ts';
import { SERIES } from '../runs/series-names.ts';
import type { Observation } from './facts.ts';

export type Rows = ReadonlyMap<string, Float32Array>;
export type Observed = Pick<Observation, 'flow' | 'gates' | 'dead'>;

/** A place in a row: of a level, a gate or a layer. */
interface Stretch {
  from: number;
  to: number;
}

export class RowReader {
  private readonly flow: (Stretch & { layer: string })[];
  private readonly gates: (Stretch & { layer: string; gate: string })[];
  private readonly dead: string[];
  private readonly views = new WeakMap<
    Float32Array,
    { saturation: Float32Array; gates: NonNullable<Observed['gates']> }
  >();

  constructor(sidecars: readonly SeriesSidecar[]) {
    const named = (name: string) => sidecars.find(sidecar => sidecar.name === name);
    this.flow = levelsOf(named(SERIES.gradientFlow));
    this.gates = gatesOf(named(SERIES.gates));
    this.dead = named(SERIES.deadUnits)?.axes[0]?.labels ?? [];
  }

  /** Views of the rows, which are the same for the same arrays: a run uses those of its rows again and again. */
  read(rows: Rows): Observed {
    const flow = rows.get(SERIES.gradientFlow);
    const mean = rows.get(SERIES.gates);
    const saturation = rows.get(SERIES.saturation);
    const dead = rows.get(SERIES.deadUnits);
    const observed: Observed = {};
    if (flow)
      observed.flow = this.flow.map(({ layer, from, to }) => ({ layer, norms: flow.subarray(from, to) }));
    if (mean && saturation) observed.gates = this.gateViews(mean, saturation);
    if (dead) observed.dead = this.dead.map((layer, index) => ({ layer, share: dead[index]! }));
    return observed;
  }

  private gateViews(mean: Float32Array, saturation: Float32Array): NonNullable<Observed['gates']> {
    const before = this.views.get(mean);
    if (before?.saturation === saturation) return before.gates;
    const gates = this.gates.map(({ layer, gate, from, to }) => ({
      layer,
      gate,
      mean: mean.subarray(from, to),
      saturation: saturation.subarray(from, to),
    }));
    this.views.set(mean, { saturation, gates });
    return gates;
  }
}

/** Of recurrent levels alone: what a state carries back is what can vanish. */
function levelsOf(sidecar: SeriesSidecar | undefined) {
  if (!sidecar || sidecar.layers.length === 0) return [];
  const { layers, width } = sidecar;
  const seqLen = width / layers.length;
  return layers.flatMap(({ name, family }, index) =>
    family === 'recurrent' ? [{ layer: name, from: index * seqLen, to: (index + 1) * seqLen }] : [],
  );
}

/** Rows are labelled "layers.1.0 f". */
function gatesOf(sidecar: SeriesSidecar | undefined) {
  const labels = sidecar?.axes.find(({ name }) => name === 'gate')?.labels ?? [];
  const seqLen = labels.length > 0 ? sidecar!.width / labels.length : 0;
  return labels.map((label, index) => {
    const split = label.lastIndexOf(' ');
    const [layer, gate] = [label.slice(0, split), label.slice(split + 1)];
    return { layer, gate, from: index * seqLen, to: (index + 1) * seqLen };
  });
}
