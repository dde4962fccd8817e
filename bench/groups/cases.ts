// The 18 cases: LSTM, GRU and simple RNN in six shapes, ours against PyTorch.
import { CASES, type Cell, nameOf, operationsOf } from '../cases.ts';
import { type Context, Crowd } from '../context.ts';
import { percent, type Section, show } from '../report.ts';
import { type CaseRow, caseRow, type Target } from '../results.ts';
import { measureCase } from '../rounds.ts';
import { geometricMean } from '../statistics.ts';

export async function cases(context: Context): Promise<Section> {
  const crowd = new Crowd();
  const names = ['native', 'native-avx2', 'wasm', 'wasm-1-thread'];
  // which takes minutes: only where it is asked for
  if (context.engines?.includes('tfjs-node')) names.push('tfjs-node');
  const ours = await crowd.addOurs(context, names);
  const peers = [...new Set(ours.map(({ peer }) => peer))];
  crowd.addPytorch(peers, context.threads);
  const { peaks } = context.peaks();
  const rows: CaseRow[] = [];
  for (const asked of CASES) {
    const measured = await measureCase(asked, crowd.members, context.pace, crowd.refused);
    for (const { name, peer } of ours) {
      const [mine, theirs] = [measured.get(name), measured.get(peer)];
      if (mine && theirs) rows.push(caseRow(asked, { name, peer, measured: mine }, theirs, peaks));
    }
    const said = rows.filter(row => row.cell === asked.cell && row.shape === asked.shape);
    context.say(`${nameOf(asked)}: ${said.map(row => `${row.provider} ${show(row.ratio)}x`).join(', ')}`);
  }
  crowd.end();
  return {
    name: 'cases',
    title: 'The 18 cases against PyTorch',
    text: `A whole train step through the trainer (experiment, layers, tape, kernels, optimiser, probes, run folder), the gradient flow and the gates recorded at every step. Median of ${context.pace.rounds} interleaved rounds of ${context.pace.seconds} s each; the ratio is PyTorch's time over ours, of the same round. native-avx2 is held to AVX2, and so is its peer (\`ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2\`). "Of peak" counts three products of the forward pass's size, as is usual, over what the multiply-adds of the same threads can do on registers in the same vector width (4 floats for WASM); "without dx" leaves out the gradient of the input, which nobody asks for here.`,
    columns: ['case', 'provider', 'ms', 'PyTorch ms', 'ratio', 'of peak', 'without dx', 'threads', 'set'],
    cells: rows.map(cellsOf),
    targets: targetsOf(rows),
    skipped: crowd.skipped,
    data: rows,
  };
}

function cellsOf(row: CaseRow): string[] {
  const { usual, needed } = operationsOf(row.cell as Cell, row.shape);
  const without = row.peakFraction === null ? null : (row.peakFraction * needed) / usual;
  return [
    nameOf(row),
    row.provider,
    show(row.msOurs),
    show(row.msPeer),
    `${show(row.ratio)}x`,
    percent(row.peakFraction),
    percent(without),
    `${row.threads}`,
    row.isa,
  ];
}

interface Wanted {
  mean: number;
  least?: number;
  /** percent, mean of all cases */
  peak?: number;
}

const WITH_AVX512: Wanted = { mean: 4.8, least: 1.4, peak: 72 };
const WITH_AVX2: Wanted = { mean: 3.6, least: 1.15, peak: 55 };
const WANTED: Readonly<Record<string, Wanted>> = {
  native: WITH_AVX512,
  'native-avx2': WITH_AVX2,
  wasm: { mean: 1.25 },
  'wasm-1-thread': { mean: 0.65 },
};

export function targetsOf(rows: readonly CaseRow[]): Target[] {
  const targets: Target[] = [];
  for (const [provider, wanted] of Object.entries(WANTED)) {
    const own = rows.filter(row => row.provider === provider);
    if (own.length === 0) continue;
    // a processor without AVX-512 is measured by what is wanted of AVX2
    const { mean, least, peak } = wanted === WITH_AVX512 && own[0]!.isa !== 'avx512' ? WITH_AVX2 : wanted;
    const lowest = own.reduce((low, row) => (row.ratio < low.ratio ? row : low));
    const figure = (name: string, value: number, target: number, unit: string): Target => ({
      name: `${provider}: ${name}`,
      value,
      target,
      atLeast: true,
      unit,
    });
    targets.push(
      figure(`geometric mean of ${own.length} ratios`, geometricMean(own.map(row => row.ratio)), mean, 'x'),
    );
    if (least !== undefined)
      targets.push(figure(`lowest ratio (${nameOf(lowest)})`, lowest.ratio, least, 'x'));
    const shares = own.flatMap(({ peakFraction }) => (peakFraction === null ? [] : [peakFraction]));
    if (peak === undefined || shares.length === 0) continue;
    const share = (100 * shares.reduce((sum, one) => sum + one, 0)) / shares.length;
    targets.push(figure(`mean share of peak of ${shares.length} cases`, share, peak, ' %'));
  }
  return targets;
}
