// The recurrent layer alone, forward and backward: our kernels called bare beside PyTorch and JAX.
import { CASES, nameOf, type Shape } from '../cases.ts';
import { type Context, Crowd } from '../context.ts';
import { oursOf, startBare, startJax } from '../participants.ts';
import { type Section, show } from '../report.ts';
import type { OtherRow } from '../results.ts';
import { type Measured, measureCase, msOf } from '../rounds.ts';
import { medianRatio } from '../statistics.ts';

interface LayerRow extends OtherRow {
  cell: string;
  shape: Shape;
  ms: number;
  msPytorch: number | null;
  msJax: number | null;
  /** medians of the rounds' own ratios */
  overPytorch: number | null;
  overJax: number | null;
}

export async function layer(context: Context): Promise<Section> {
  const crowd = new Crowd();
  const ours = oursOf(context.threads).find(({ name }) => name === 'native')!;
  crowd
    .add('native-bare', startBare(ours))
    .addPytorch(['pytorch'], context.threads)
    .add('jax', startJax(context.threads));
  const rows: LayerRow[] = [];
  for (const asked of CASES) {
    const layerAlone = { ...asked, part: 'layer' } as const;
    const measured = await measureCase(layerAlone, crowd.members, context.pace, crowd.refused);
    const mine = measured.get('native-bare');
    if (!mine) continue;
    const [pytorch, jax] = [measured.get('pytorch'), measured.get('jax')];
    const ratio = (peer: Measured | undefined) => (peer ? medianRatio(peer.ms, mine.ms) : null);
    const row: LayerRow = {
      kind: 'layer',
      ...asked,
      ms: msOf(mine),
      msPytorch: pytorch ? msOf(pytorch) : null,
      msJax: jax ? msOf(jax) : null,
      overPytorch: ratio(pytorch),
      overJax: ratio(jax),
    };
    rows.push(row);
    context.say(`layer, ${nameOf(asked)}: PyTorch ${times(row.overPytorch)}, JAX ${times(row.overJax)}`);
  }
  crowd.end();
  return {
    name: 'layer',
    title: 'The layer alone, beside PyTorch and JAX',
    text: 'One recurrent layer forward and backward with the gradients of its weights and of its input: no head, loss or optimizer, nothing recorded. JAX: jit, lax.scan over time, the input side of all steps as one product. Median times, and the median of the ratios of the same rounds.',
    columns: ['case', 'ms', 'PyTorch ms', 'ratio', 'JAX ms', 'ratio'],
    cells: rows.map(row => [
      nameOf(row),
      show(row.ms),
      row.msPytorch === null ? '–' : show(row.msPytorch),
      times(row.overPytorch),
      row.msJax === null ? '–' : show(row.msJax),
      times(row.overJax),
    ]),
    targets: [],
    skipped: crowd.skipped,
    data: rows,
  };
}

function times(ratio: number | null): string {
  return ratio === null ? '–' : `${show(ratio)}x`;
}
