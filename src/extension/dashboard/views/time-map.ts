// The gradient heatmap's rows: ratios to the value at the last time step, pooled by their largest value to a
// bounded number, with the reach of each.
import type { FlowView } from '../../../protocol/messages.ts';
import type { SeriesSidecar } from '../../../runs/format.ts';
import { levelTitles, mainLevel } from '../../../runs/levels.ts';
import type { Projection, RowsSource } from './projection.ts';

const MAX_ROWS = 400;
const MAX_VALUES = 400_000;
const THRESHOLD = 0.01;
const EXPLODING = 10;
/** rows whose median is the reach, and those of the line on the map */
const NEWEST = 10;
const CONTOUR = 9;

interface Group {
  step: number;
  rows: number;
  ratios: Float32Array;
  /** steps back, of the middle row, by layer */
  contour: number[];
}

export class TimeMapProjection implements Projection<FlowView> {
  version = 0;
  private source: RowsSource | null = null;
  private consumed = 0;
  private lastStep = -1;
  private lastRow: ArrayLike<number> | null = null;
  private rowsPerGroup = 1;
  private groups: Group[] = [];
  /** [row][layer], NaN where there is none */
  private reaches: number[][] = [];
  private newest: Float32Array[] = [];

  /**
   * Takes what is new; rows that explode are shown but have no reach.
   * @returns whether all was taken; not more than `limit` rows are at a time
   */
  follow(source: RowsSource | undefined, limit = Number.POSITIVE_INFINITY): boolean {
    if (!source) {
      if (this.consumed > 0) this.restart(null);
      return true;
    }
    const wentBack =
      source.rows.length < this.consumed ||
      (this.consumed > 0 &&
        (source.steps[this.consumed - 1] !== this.lastStep ||
          source.rows[this.consumed - 1] !== this.lastRow));
    if (source !== this.source || wentBack) this.restart(source);
    if (source.rows.length === this.consumed) return true;
    const end = Math.min(source.rows.length, this.consumed + limit);
    for (let row = this.consumed; row < end; row++)
      this.add(source.steps[row]!, source.rows[row]!, source.sidecar, row === end - 1);
    this.consumed = end;
    this.lastStep = source.steps[end - 1]!;
    this.lastRow = source.rows[end - 1]!;
    this.version++;
    return end === source.rows.length;
  }

  view(): FlowView | null {
    const source = this.source;
    if (!source || this.groups.length === 0) return null;
    const [layers, seqLen] = shapeOf(source.sidecar);
    const width = layers * seqLen;
    const ratios = new Float32Array(this.groups.length * width);
    const contour = new Float32Array(this.groups.length * layers);
    this.groups.forEach((group, index) => {
      ratios.set(group.ratios, index * width);
      contour.set(group.contour, index * layers);
    });
    return {
      name: source.sidecar.name,
      layers: source.sidecar.layers.slice(0, layers),
      titles: levelTitles(source.sidecar.layers.slice(0, layers)),
      main: mainLevel(source.sidecar.layers.slice(0, layers)),
      seqLen,
      steps: Float64Array.from(this.groups, group => group.step),
      ratios,
      contour,
      reach: Array.from({ length: layers }, (_, layer) => {
        const value = median(this.newestReaches(layer));
        return Number.isNaN(value) ? null : value;
      }),
      profile: medianProfile(this.newest, width),
    };
  }

  private newestReaches(layer: number): number[] {
    const found: number[] = [];
    for (let row = this.reaches.length - 1; row >= 0 && found.length < NEWEST; row--) {
      const value = this.reaches[row]![layer]!;
      if (!Number.isNaN(value)) found.push(value);
    }
    return found;
  }

  private restart(source: RowsSource | null): void {
    this.source = source;
    this.consumed = 0;
    this.lastStep = -1;
    this.rowsPerGroup = 1;
    this.groups = [];
    this.reaches = [];
    this.newest = [];
    this.version++;
  }

  private add(step: number, values: ArrayLike<number>, sidecar: SeriesSidecar, isLast: boolean): void {
    const [layers, seqLen] = shapeOf(sidecar);
    const ratios = toRatios(values, layers, seqLen);
    const reach = Array.from({ length: layers }, (_, layer) => reachOf(ratios, layer * seqLen, seqLen));
    this.reaches.push(reach);
    if (reach.some(value => !Number.isNaN(value))) {
      this.newest.push(ratios);
      if (this.newest.length > NEWEST) this.newest.shift();
    }
    const last = this.groups.at(-1);
    // only the last row of a group stands for it
    const isShown = !last || last.rows + 1 >= this.rowsPerGroup || last.rows >= this.rowsPerGroup;
    const around = isShown || isLast ? this.contourNow(layers) : last.contour;
    if (last && last.rows < this.rowsPerGroup) {
      pool(last.ratios, ratios);
      last.step = step;
      last.rows++;
      last.contour = around;
      // a copy, since rows that follow are pooled into it
    } else this.groups.push({ step, rows: 1, ratios: ratios.slice(), contour: around });
    const limit = Math.max(2, Math.min(MAX_ROWS, Math.floor(MAX_VALUES / ratios.length)));
    if (this.groups.length > limit && this.groups.at(-1)!.rows === this.rowsPerGroup) this.halve();
  }

  private contourNow(layers: number): number[] {
    const rows = this.reaches.slice(-CONTOUR);
    return Array.from({ length: layers }, (_, layer) => median(rows.map(row => row[layer]!)));
  }

  private halve(): void {
    const halved: Group[] = [];
    for (let i = 0; i < this.groups.length; i += 2) {
      const group = this.groups[i]!;
      const next = this.groups[i + 1];
      if (next) {
        pool(group.ratios, next.ratios);
        group.step = next.step;
        group.rows += next.rows;
        group.contour = next.contour;
      }
      halved.push(group);
    }
    this.groups = halved;
    this.rowsPerGroup *= 2;
  }
}

/** [layers, time steps] */
function shapeOf(sidecar: SeriesSidecar): [number, number] {
  const layers = Math.max(1, sidecar.layers.length);
  return sidecar.width % layers === 0 ? [layers, sidecar.width / layers] : [1, sidecar.width];
}

function toRatios(values: ArrayLike<number>, layers: number, seqLen: number): Float32Array {
  const ratios = new Float32Array(layers * seqLen);
  for (let layer = 0; layer < layers; layer++) {
    const start = layer * seqLen;
    const last = values[start + seqLen - 1]!;
    for (let t = start; t < start + seqLen; t++) {
      const ratio = values[t]! / last;
      // 0/0: no gradient at all, as far as this row can tell
      ratios[t] = Number.isFinite(ratio) ? ratio : values[t] === 0 ? 0 : Number.NaN;
    }
  }
  return ratios;
}

/** Steps back above the threshold; NaN for a row that is broken or explodes. */
export function reachOf(ratios: ArrayLike<number>, start: number, seqLen: number): number {
  let steps = 0;
  let isWhole = true;
  for (let back = 0; back < seqLen; back++) {
    const ratio = ratios[start + seqLen - 1 - back]!;
    // where a batch of shorter sequences begins
    if (Number.isNaN(ratio) && back > 0) return steps;
    if (!(ratio <= EXPLODING)) return Number.NaN;
    if (ratio < THRESHOLD) isWhole = false;
    if (isWhole) steps = back;
  }
  return steps;
}

/** The larger of both; a broken value only where there is no other. */
function pool(into: Float32Array, values: Float32Array): void {
  for (let i = 0; i < into.length; i++)
    if (!(into[i]! >= values[i]!)) into[i] = betterOf(into[i]!, values[i]!);
}

function betterOf(a: number, b: number): number {
  return Number.isNaN(b) ? a : b;
}

function medianProfile(rows: readonly Float32Array[], width: number): Float32Array {
  const profile = new Float32Array(width);
  for (let i = 0; i < width; i++) profile[i] = median(rows.map(row => row[i]!));
  return profile;
}

export function median(values: readonly number[]): number {
  const sorted = values.filter(value => !Number.isNaN(value)).sort((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : sorted[sorted.length >> 1]!;
}
