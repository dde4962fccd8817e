// What one page shows: the readers of its runs, and what of them the page has not got yet. Reads run folders only.

import { runReach } from '../../diagnosis/run-reach.ts';
import type { Experiment } from '../../experiment/schema.ts';
import type { ComparisonView, Curve, CurveName, DashboardState, RunPatch } from '../../protocol/messages.ts';
import { type ComparedRow, type ComparedRun, rowsOf } from '../../runs/comparison.ts';
import { ComparedFigures } from '../../runs/comparison-row.ts';
import { RunReader } from '../../runs/reader.ts';
import { SERIES } from '../../runs/series-names.ts';
import { pollByTurns, Turn } from '../runs/turns.ts';
import { comparisonView } from './comparison-view.ts';
import { type Life, type Place, RunProjection } from './run-view.ts';
import { type Named, placesOf, subtitleOf, titleOf } from './titles.ts';

export interface ShownRun extends Named, Life {
  folder: string;
  id: string;
}

interface Entry {
  shown: ShownRun;
  place: Place;
  reader: RunReader;
  projection: RunProjection;
  figures: ComparedFigures;
}

export class DashboardModel {
  smoothing = 0;
  /** id of a run of the row that differences are to; null: the best */
  baseline: string | null = null;
  private comparisonSent = '';
  private entries: Entry[] = [];

  /** Readers of runs that stay are kept. */
  setRuns(runs: readonly ShownRun[]): void {
    const known = new Map(this.entries.map(entry => [entry.shown.folder, entry]));
    const places = placesOf(runs);
    this.entries = runs.map((shown, index) => {
      const old = known.get(shown.folder);
      const place = places[index]!;
      if (old) return Object.assign(old, { shown, place });
      return {
        shown,
        place,
        reader: new RunReader(shown.folder),
        projection: new RunProjection(shown.id),
        figures: new ComparedFigures(),
      };
    });
  }

  /** Reads what was appended since, run by run, and lets others work in between. */
  async read(): Promise<void> {
    const turn = new Turn();
    for (const { reader, projection } of [...this.entries]) {
      await pollByTurns(reader);
      while (!projection.follow(reader, this.smoothing, true)) await turn.mayEnd();
      await turn.mayEnd();
    }
  }

  /** Title, subtitle and runs in full; from here on `changes` tells what is new. */
  whole(): Pick<DashboardState, 'title' | 'subtitle' | 'runs' | 'comparison'> {
    this.comparisonSent = '';
    const named = this.entries.map(({ shown }) => shown);
    return {
      title: titleOf(named),
      subtitle: subtitleOf(named),
      comparison: this.changedComparison()!,
      runs: this.entries.map(({ shown, place, reader, projection }) =>
        projection.whole(reader, shown, place, this.smoothing),
      ),
    };
  }

  changes(): RunPatch[] {
    return this.entries.flatMap(
      ({ shown, place, reader, projection }) =>
        projection.changes(reader, shown, place, this.smoothing) ?? [],
    );
  }

  /** One row for the seeds of a model, in the order in which runs are shown. */
  comparison(): ComparedRow[] {
    return rowsOf(this.compared().map(({ run }) => run));
  }

  /** null: as it was at the last call. */
  changedComparison(): ComparisonView | null {
    const view = comparisonView(this.compared(), this.baseline);
    const stamp = JSON.stringify(view);
    if (stamp === this.comparisonSent) return null;
    this.comparisonSent = stamp;
    return view;
  }

  private compared(): { run: ComparedRun; experiment: Experiment }[] {
    return this.entries.flatMap(({ shown, place, reader, figures }) => {
      const run = figures.of(reader, {
        id: shown.id,
        label: place.label,
        state: shown.state,
        reach: runReach(reader.series.get(SERIES.gradientFlow)),
      });
      const experiment = reader.request?.experiment;
      return run && experiment ? [{ run, experiment }] : [];
    });
  }

  folderOf(runId: string): string | null {
    return this.entries.find(({ shown }) => shown.id === runId)?.shown.folder ?? null;
  }

  range(runId: string, curve: CurveName, from: number, to: number, points: number): Curve {
    const entry = this.entries.find(({ shown }) => shown.id === runId);
    if (!entry) throw new Error('This run is not shown any more.');
    return entry.projection.range(curve, from, to, points);
  }
}
