// A process that writes a run as fast as it can until it is killed; it goes on from the last checkpoint it finds.
import process from 'node:process';
import { RunWriter } from '../../../src/runs/writer.ts';
import { scalars, sidecar } from './folder.ts';

const writer = RunWriter.open(process.argv[2]!);
const checkpoint = writer.latestCheckpoint();
const from = checkpoint?.step ?? 0;
writer.truncateAfter(from);
writer.event(
  checkpoint
    ? { kind: 'resumed', step: from, time: 0, fromStep: from }
    : { kind: 'started', step: 0, time: 0 },
);
const series = writer.series(sidecar.name, sidecar);
process.send!('writing');
for (let step = from + 1; ; step++) {
  writer.event(scalars(step, { trainLoss: step }));
  series.row(step, new Float32Array(sidecar.width).fill(step));
  if (step % 3 === 0) writer.status({ state: 'training', step });
  if (step % 20 === 0) {
    const content = Buffer.alloc(50_000, step % 251);
    writer.checkpoint(
      step,
      new Map([
        ['weights.safetensors', content],
        ['state.json', Buffer.from(`{"step":${step}}`)],
      ]),
      { best: step % 60 === 0 },
    );
  }
}
