// A participant is a process: its answers come in order, and its end is an answer too.
import assert from 'node:assert/strict';
import process from 'node:process';
import { Participant } from '../../../bench/participant.ts';
import { measureCase } from '../../../bench/rounds.ts';

/** Measures nothing: tells `ms` as the time of every step. */
function told(name: string, ms: number, more = ''): Participant {
  const program = `
    require('node:readline').createInterface({ input: process.stdin }).on('line', line => {
      const order = JSON.parse(line);
      ${more}
      console.log('a line that is no answer');
      console.log(JSON.stringify(order.measure ? { msMedian: ${ms}, steps: 3, isa: 'told' } : { opened: true }));
    });`;
  return new Participant({ name, command: process.execPath, args: ['-e', program] });
}

describe('participants of the benchmark', () => {
  const asked = { cell: 'lstm', shape: [1, 1, 1, 1, 1] as const };
  const pace = { rounds: 3, seconds: 0.01, warmup: 0.01 };

  it('are measured in rounds; who cannot do a case is left out with the reason', async () => {
    const fast = told('fast', 2);
    const slow = told('slow', 6);
    const unable = told('unable', 1, `if (order.open) return console.log('{"error":"no such model"}');`);
    const dying = told('dying', 1, `if (order.measure) { console.error('out of memory'); process.exit(1); }`);
    const refused = new Map<string, string>();
    const everybody = [fast, slow, unable, dying];
    try {
      const measured = await measureCase(asked, everybody, pace, refused);
      assert.deepEqual([...measured.keys()].sort(), ['fast', 'slow']);
      assert.deepEqual(measured.get('slow')!.ms, [6, 6, 6]);
      assert.equal(refused.get('unable'), 'no such model');
      assert.equal(refused.get('dying'), 'out of memory');
    } finally {
      for (const participant of everybody) participant.end();
    }
  });

  it('that do not start say why', async () => {
    const missing = new Participant({ name: 'missing', command: 'no-such-program-here', args: [] });
    const { error } = await missing.open(asked);
    assert.match(error!, /ENOENT/);
    missing.end();
  });
});
