// What is drawn of a run's series, by the `view` of their sidecars: one line each. A series whose view is not here is
// read and not drawn.
import type { SeriesViews, ViewName } from '../../../protocol/messages.ts';
import { GatesProjection } from './gates.ts';
import type { Projection, RowsSource } from './projection.ts';
import { SpectrumProjection } from './spectrum.ts';
import { TimeMapProjection } from './time-map.ts';

const PROJECTIONS: { [V in ViewName]: new () => Projection<SeriesViews[V][number]> } = {
  'time-map': TimeMapProjection,
  gates: GatesProjection,
  spectrum: SpectrumProjection,
};

export class ShownSeries {
  private readonly shown = new Map<string, { view: ViewName; projection: Projection<unknown> }>();

  /** @returns whether all was taken in; not more than `limit` rows of each are at a time */
  follow(series: ReadonlyMap<string, RowsSource>, limit?: number): boolean {
    let isAll = true;
    for (const [name, source] of series) {
      const { view } = source.sidecar;
      if (!isDrawn(view)) continue;
      let known = this.shown.get(name);
      if (known?.view !== view) this.shown.set(name, (known = { view, projection: new PROJECTIONS[view]() }));
      isAll = known.projection.follow(source, limit) && isAll;
    }
    for (const [name, { projection }] of this.shown) if (!series.has(name)) projection.follow(undefined);
    return isAll;
  }

  get version(): string {
    return [...this.shown].map(([name, { projection }]) => `${name} ${projection.version}`).join();
  }

  views(): SeriesViews {
    const views: { [V in ViewName]: unknown[] } = { 'time-map': [], gates: [], spectrum: [] };
    for (const { view, projection } of this.shown.values()) {
      const found = projection.view();
      if (found !== null) views[view].push(found);
    }
    return views as SeriesViews;
  }
}

function isDrawn(view: string): view is ViewName {
  return Object.hasOwn(PROJECTIONS, view);
}
