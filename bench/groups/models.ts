// Models beside the single recurrent layer, against the same in PyTorch.
import { MODEL_SHAPE, MODELS, nameOf } from '../cases.ts';
import { type Context, Crowd } from '../context.ts';
import { type Section, show } from '../report.ts';
import type { OtherRow } from '../results.ts';
import { measureCase, msOf } from '../rounds.ts';
import { medianRatio } from '../statistics.ts';

const WANTED: Readonly<Record<string, number>> = {
  'bidirectional-lstm': 1.5,
  transformer: 1,
  tcn: 1.5,
  conv1d: 1.2,
  wavenet: 1,
};

interface ModelRow extends OtherRow {
  model: string;
  provider: string;
  timesAsFast: number;
  msOurs: number;
  msPeer: number;
}

export async function models(context: Context): Promise<Section> {
  const crowd = new Crowd();
  const ours = await crowd.addOurs(context, ['native', 'native-avx2', 'wasm']);
  crowd.addPytorch([...new Set(ours.map(({ peer }) => peer))], context.threads);
  const rows: ModelRow[] = [];
  for (const model of MODELS) {
    const refused = new Map<string, string>();
    const measured = await measureCase(
      { cell: model, shape: MODEL_SHAPE },
      crowd.members,
      context.pace,
      refused,
    );
    for (const [name, reason] of refused) crowd.skipped.push(`${model}, ${name}: ${reason}`);
    for (const { name, peer } of ours) {
      const [mine, theirs] = [measured.get(name), measured.get(peer)];
      if (!mine || !theirs) continue;
      rows.push({
        kind: 'model',
        model,
        shape: MODEL_SHAPE,
        provider: name,
        timesAsFast: medianRatio(theirs.ms, mine.ms),
        msOurs: msOf(mine),
        msPeer: msOf(theirs),
        peer,
      });
      context.say(
        `${nameOf({ cell: model, shape: MODEL_SHAPE })}: ${name} ${show(rows.at(-1)!.timesAsFast)}x`,
      );
    }
  }
  crowd.end();
  return {
    name: 'models',
    title: 'Other models against PyTorch',
    text: `At I H T B O ${MODEL_SHAPE.join(' ')}: a bidirectional LSTM of two layers; a dense layer, one causal Transformer block (4 heads, hidden 4·H, learned positions, normalised before each part), a layer norm; a TCN of 4 blocks (two causal dilated convolutions of 3 taps each, a residual); a causal convolution of 3 taps and a ReLU; a WaveNet of 4 blocks. A dense layer follows each.`,
    columns: ['model', 'provider', 'ms', 'PyTorch ms', 'ratio'],
    cells: rows.map(row => [
      row.model,
      row.provider,
      show(row.msOurs),
      show(row.msPeer),
      `${show(row.timesAsFast)}x`,
    ]),
    targets: rows
      .filter(({ provider }) => provider === 'native')
      .map(row => ({
        name: `native: ${row.model}`,
        value: row.timesAsFast,
        target: WANTED[row.model]!,
        atLeast: true,
        unit: 'x',
      })),
    skipped: crowd.skipped,
    data: rows,
  };
}
