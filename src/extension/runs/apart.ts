// What sets runs of one name apart, for the rows of lists that name runs.
import { plain } from '../text.ts';
import { runDescription, runLabel } from './describe.ts';
import type { ListedRun } from './store.ts';

const MOST_DISTINCTIONS = 3;

/** Runs of one name in one workspace folder, as lists. */
export function namesakes(runs: readonly ListedRun[]): ListedRun[][] {
  const byName = new Map<string, ListedRun[]>();
  for (const run of runs) {
    const key = `${run.workspace}\n${runLabel(run, false)}`;
    byName.set(key, [...(byName.get(key) ?? []), run]);
  }
  return [...byName.values()].filter(own => own.length > 1);
}

/** By folder: "64 units · seed 2". The schema that it takes is loaded only where two have one name. */
export async function distinctionsOf(alike: readonly ListedRun[][]): Promise<Map<string, string>> {
  const apart = new Map<string, string>();
  if (alike.length === 0) return apart;
  const { distinctions } = await import('../../runs/differences.ts');
  for (const runs of alike) {
    const experiments = runs.map(({ request }) => request.experiment);
    const seeds = new Set(experiments.map(({ training }) => training.seed)).size > 1;
    for (const [index, words] of distinctions(experiments).entries()) {
      const seed = seeds ? `seed ${experiments[index]!.training.seed}` : '';
      const shown = [...words.split(' · ').slice(0, MOST_DISTINCTIONS), seed].filter(Boolean);
      apart.set(runs[index]!.folder, plain(shown.join(' · '), 80));
    }
  }
  return apart;
}

/** Rows of a quick pick: the star, the name, what sets it apart from its namesakes, and what the tree says of it. */
export async function pickRows(
  runs: readonly ListedRun[],
  now: number,
): Promise<{ label: string; description: string; run: ListedRun }[]> {
  const apart = await distinctionsOf(namesakes(runs));
  return runs.map(run => {
    const name = `${run.label.isStarred ? '★ ' : ''}${runLabel(run, false)}`;
    return {
      label: [name, apart.get(run.folder)].filter(Boolean).join(' · '),
      description: runDescription(run, now),
      run,
    };
  });
}
