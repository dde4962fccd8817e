// The limit: what the machine's multiply-adds can do on registers, and what a library's matrix product makes of it.
import { type Context, Crowd } from '../context.ts';
import { type Section, show } from '../report.ts';
import type { OtherRow } from '../results.ts';

const SIZE = 2048;

export async function peak(context: Context): Promise<Section> {
  const { peaks, reason } = context.peaks();
  const crowd = new Crowd().addPytorch(['pytorch', 'pytorch-avx2'], context.threads);
  const rows: OtherRow[] = [...peaks].map(([what, operations]) => ({
    kind: 'peak',
    what: `multiply-adds, ${what}`,
    operations,
  }));
  for (const member of crowd.members) {
    const { error, operations } = await member.ask({ gemm: { size: SIZE, seconds: 2 } });
    if (error) crowd.refused.set(member.name, error);
    else
      rows.push({
        kind: 'peak',
        what: `${member.name}, product of ${SIZE} × ${SIZE}, ${context.threads} threads`,
        operations,
      });
  }
  crowd.end();
  return {
    name: 'peak',
    title: 'The limit of the machine',
    text: 'Independent chains of fused multiply-adds on registers (bench/peak.cpp, compiled here; vector of so many floats × threads), the best of 40 rounds; and the best SGEMM of PyTorch’s library.',
    columns: ['what', 'GFLOP/s'],
    cells: rows.map(({ what, operations }) => [`${what}`, show((operations as number) / 1e9)]),
    targets: [],
    skipped: [...crowd.skipped, ...(reason ? [`multiply-adds: ${reason}`] : [])],
    data: rows,
  };
}
