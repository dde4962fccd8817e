// The operations of linear recurrences as calls of kernels/abi.h: each call as the members of its struct, operands before
// whole numbers.
import type { IntSlice, Slice } from './provider.ts';
import type {
  ChannelStatesShape,
  GatedScanOperations,
  GatedScanShape,
  MatrixMemoryShape,
  MemoryUpdate,
  RecurrenceOperations,
  ScanShape,
  SelectiveScanShape,
} from './recurrences.ts';

/** The pointers of each function's struct: `r` is only read, `w` written too. */
export const RECURRENCE_OPERANDS = {
  scan: 'rrrrww',
  scan_backward: 'rrrrrrwwwww',
  gated_scan_memory: '',
  gated_scan: 'rrrrrww',
  gated_scan_backward: 'rrrrrrrrwwwwww',
  selective_scan_memory: '',
  selective_scan: 'rrrrrrrrwwww',
  selective_scan_backward: 'rrrrrrrrrrwwwwwwwww',
  channel_states_memory: '',
  channel_states: 'rrrrrwwww',
  channel_states_backward: 'rrrrrrwwwww',
  matrix_memory_memory: '',
  matrix_memory: 'rrrrrrrrrrrwwww',
  matrix_memory_backward: 'rrrrrrrrrrrrrwwwwwwwwwww',
} as const;

type Invoke = (
  kernel: keyof typeof RECURRENCE_OPERANDS,
  doubles: readonly number[],
  operands: readonly (Slice | IntSlice | null)[],
  integers: readonly number[],
) => number;

/** In the order of UnrollMemoryUpdate and UnrollDecayOf. */
const UPDATES: readonly MemoryUpdate[] = ['add', 'delta', 'general'];
const DECAYS: readonly MatrixMemoryShape['decayOf'][] = ['none', 'head', 'channel'];

/** `scratchOf` lends at least that many floats for one call. */
export function recurrenceCalls(
  invoke: Invoke,
  scratchOf: (floats: number) => Slice,
): RecurrenceOperations & GatedScanOperations {
  const selectiveScratch = (shape: SelectiveScanShape, backward: number) => {
    const { seqLen, batch, width, states, chunk } = shape;
    return scratchOf(
      invoke('selective_scan_memory', [], [], [seqLen, batch, width, states, chunk, backward]),
    );
  };
  const memoryScratch = (shape: MatrixMemoryShape, backward: number) => {
    const [seqLen, batch, heads, keySize, valueSize, update, , normalised, , chunk] = memoryNumbers(shape);
    const sizes = [seqLen, batch, heads, keySize, valueSize, update, normalised, chunk, backward];
    return scratchOf(invoke('matrix_memory_memory', [], [], sizes as number[]));
  };
  const channelNumbers = ({ seqLen, batch, width, states }: ChannelStatesShape) => [
    seqLen,
    batch,
    width,
    states,
  ];
  const channelFloats = (shape: ChannelStatesShape, kind: number) =>
    invoke('channel_states_memory', [], [], [...channelNumbers(shape), kind]);
  return {
    channelStatesKept: shape => channelFloats(shape, 0),
    channelStates(call) {
      const { u, a, c, lengths, h0, y, hN, kept } = call;
      if (kept) requireKept(kept, channelFloats(call, 0));
      const operands = [u, a, c, lengths, h0, y, hN, kept, scratchOf(channelFloats(call, 1))];
      invoke('channel_states', [], operands, channelNumbers(call));
    },
    channelStatesBackward(call) {
      const { u, a, c, lengths, kept, dy, du, da, dc, gradNorm } = call;
      requireKept(kept, channelFloats(call, 0));
      const operands = [u, a, c, lengths, kept, dy, du, da, dc, gradNorm, scratchOf(channelFloats(call, 2))];
      invoke('channel_states_backward', [], operands, channelNumbers(call));
    },
    scan(call) {
      const { a, b, lengths, h0, h, hN } = call;
      invoke('scan', [], [a, b, lengths, h0, h, hN], scanNumbers(call));
    },
    scanBackward(call) {
      const { a, lengths, h0, h, dh, dhN, db, da, dh0, gradNorm } = call;
      const scratch = scratchOf(2 * call.width);
      const operands = [a, lengths, h0, h, dh, dhN, db, da, dh0, gradNorm, scratch];
      invoke('scan_backward', [], operands, scanNumbers(call));
    },
    gatedScan(call) {
      const { forget, input, hidden, lengths, h0, h, hN } = call;
      invoke('gated_scan', [], [forget, input, hidden, lengths, h0, h, hN], gatedNumbers(call));
    },
    gatedScanBackward(call) {
      const { forget, input, hidden, lengths, h0, h, dh, dhN, dForget, dInput, dHidden, dh0, gradNorm } =
        call;
      const numbers = gatedNumbers(call);
      const scratch = scratchOf(invoke('gated_scan_memory', [], [], numbers.slice(0, 3)));
      const gradients = [dForget, dInput, dHidden, dh0, gradNorm];
      const operands = [forget, input, hidden, lengths, h0, h, dh, dhN, ...gradients, scratch];
      invoke('gated_scan_backward', [], operands, numbers);
    },
    selectiveScan(call) {
      const { x, delta, a, b, c, skip, lengths, h0, y, hN, kept } = call;
      const operands = [x, delta, a, b, c, skip, lengths, h0, y, hN, kept, selectiveScratch(call, 0)];
      invoke('selective_scan', [], operands, selectiveNumbers(call));
    },
    selectiveScanBackward(call) {
      const { x, delta, a, b, c, skip, lengths, kept, dy, dhN } = call;
      const gradients = [call.dx, call.dDelta, call.da, call.db, call.dc, call.dSkip, call.dh0];
      const operands = [
        ...[x, delta, a, b, c, skip, lengths, kept, dy, dhN],
        ...[...gradients, call.gradNorm, selectiveScratch(call, 1)],
      ];
      invoke('selective_scan_backward', [], operands, selectiveNumbers(call));
    },
    matrixMemory(call) {
      const { q, k, v, decay, strength, a, b, bonus, floor, lengths, s0, o, sN, kept } = call;
      const operands = [
        ...[q, k, v, decay, strength, a, b, bonus, floor, lengths],
        ...[s0, o, sN, kept, memoryScratch(call, 0)],
      ];
      invoke('matrix_memory', [], operands, memoryNumbers(call));
    },
    matrixMemoryBackward(call) {
      const { q, k, v, decay, strength, a, b, bonus, floor, lengths, kept, dsN } = call;
      const { dq, dk, dv, dDecay, dStrength, da, db, dBonus, ds0, gradNorm } = call;
      const operands = [
        ...[q, k, v, decay, strength, a, b, bonus, floor, lengths, kept, call.do, dsN],
        ...[dq, dk, dv, dDecay, dStrength, da, db, dBonus, ds0, gradNorm, memoryScratch(call, 1)],
      ];
      invoke('matrix_memory_backward', [], operands, memoryNumbers(call));
    },
  };
}

/** What one engine's layout takes: memory measured for another is refused. */
function requireKept({ data, offset }: Slice, floats: number): void {
  if (!(offset >= 0 && data.length - offset >= floats))
    throw new RangeError(
      `channel_states: ${data.length - offset} numbers are lent for states, ${floats} are needed.`,
    );
}

/** Of the structs' numbers: seq_len, batch, width, complex, constant, reverse. */
function scanNumbers({ seqLen, batch, width, complex, constant, reverse }: ScanShape): number[] {
  return [seqLen, batch, width, Number(complex), Number(constant), Number(reverse)];
}

/** seq_len, batch, width, states, reverse, chunk */
function selectiveNumbers({ seqLen, batch, width, states, reverse, chunk }: SelectiveScanShape): number[] {
  return [seqLen, batch, width, states, Number(reverse), chunk];
}

/** seq_len, batch, heads, key_size, value_size, update, decay_of, normalised, reverse, chunk */
function memoryNumbers(shape: MatrixMemoryShape): number[] {
  const { seqLen, batch, heads, keySize, valueSize, update, decayOf, normalised, reverse, chunk } = shape;
  const kinds = [UPDATES.indexOf(update), DECAYS.indexOf(decayOf), Number(normalised), Number(reverse)];
  return [seqLen, batch, heads, keySize, valueSize, ...kinds, chunk];
}

function gatedNumbers({ seqLen, batch, width, positive }: GatedScanShape): number[] {
  return [seqLen, batch, width, Number(positive)];
}
