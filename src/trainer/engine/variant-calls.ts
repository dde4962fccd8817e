// Recurrent cells with what their fields change as calls of kernels/abi.h.
import type { RecurrentCell } from './provider.ts';
import type { IntSlice, Slice } from './slices.ts';
import type { VariantCall, VariantOperations } from './variants.ts';

/** The pointers of each function's struct: `r` is only read, `w` written too. */
export const VARIANT_OPERANDS = {
  variant_memory: '',
  variant_forward: 'rrrrrrrrrrrrrrwwwwwwww',
  variant_backward: 'rrrrrrrrrrrrrrrrrrrrrwwwwwwwwwwwww',
  lstm_variant_memory: '',
  lstm_variant_forward: 'rrrrrrrrwrrrrwwwww',
  lstm_variant_backward: 'rrrrwwrrrrwrrrrrwwrrrwwwwwwwwwww',
} as const;

type Invoke = (
  kernel: keyof typeof VARIANT_OPERANDS,
  doubles: readonly number[],
  operands: readonly (Slice | IntSlice | null)[],
  integers: readonly number[],
) => number;

/** `cells`: in the order of UnrollCell, behind which sLSTM stands; `scratchOf` lends at least that many floats for one call. */
export function variantCalls(
  invoke: Invoke,
  cells: readonly RecurrentCell[],
  scratchOf: (floats: number) => Slice,
): VariantOperations {
  const numbersOf = ({ shape }: VariantCall) => [
    shape.cell === 's-lstm' ? cells.length : cells.indexOf(shape.cell),
    shape.seqLen,
    shape.batch,
    shape.hiddenSize,
  ];
  const lent = (call: VariantCall) => scratchOf(invoke('variant_memory', [], [], numbersOf(call)));
  return {
    variantForward(call) {
      const { y, hN, cN, gates, cells, read, normed } = call;
      const operands = [...inputsOf(call, call.projected), y, hN, cN, gates, cells, read, normed, lent(call)];
      invoke('variant_forward', [call.zoneout], operands, [...numbersOf(call), Number(call.shape.reverse)]);
    },
    variantBackward(call) {
      const { y, gates, cells, normed, dy, dhN, dcN, dProjected, dHidden } = call;
      const { dPeephole, dGains, dGainCell, dBiasCell, dh0, dc0, report } = call;
      const operands = [
        ...[...inputsOf(call, call.gains && call.projected), y, gates, cells, normed, dy, dhN, dcN],
        ...[dProjected, dHidden, dPeephole, dGains, dGainCell, dBiasCell, dh0, dc0],
        ...[report?.hiddenGradNorm ?? null, report?.cellGradNorm ?? null],
        ...[report?.gateMean ?? null, report?.gateSaturation ?? null, lent(call)],
      ];
      invoke('variant_backward', [call.zoneout], operands, [...numbersOf(call), Number(call.shape.reverse)]);
    },
  };
}

function inputsOf(call: VariantCall, projected: Slice | null): (Slice | IntSlice | null)[] {
  const { weightHh, biasHh, lengths, h0, c0, peephole, gains, gainCell, biasCell } = call;
  const masks = [call.stateMask, call.updateMask, call.zoneoutH, call.zoneoutC];
  return [projected, weightHh, biasHh, lengths, h0, c0, peephole, gains, gainCell, biasCell, ...masks];
}
