// tfjs's own matrix products on the provider: one, or a batch of them that is broadcast, with bias and activation. What
// is no float32, holds nothing or ends in another activation stays with tfjs-backend-cpu.
import { broadcast_util, getKernel, type KernelFunc, type TensorInfo } from '@tensorflow/tfjs-core';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import type { OutputActivation } from '../provider.ts';
import { floats, optionalSlice, provider, whole } from '../storage.ts';
import { type EngineKernel, output, sizeOf } from './kernel.ts';

interface MatMulAttributes {
  transposeA: boolean;
  transposeB: boolean;
  activation?: string;
}

const ACTIVATIONS: Readonly<Record<string, OutputActivation | null>> = {
  linear: null,
  relu: 'relu',
  sigmoid: 'sigmoid',
};

function matMul(name: 'BatchMatMul' | '_FusedMatMul'): EngineKernel {
  const stock = (params: Parameters<KernelFunc>[0]) => getKernel(name, 'cpu').kernelFunc(params);
  return {
    name,
    run(params) {
      const { a, b, bias } = params.inputs as { a: TensorInfo; b: TensorInfo; bias?: TensorInfo };
      const { transposeA, transposeB, activation = 'linear' } = params.attrs as unknown as MatMulAttributes;
      const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
      const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
      const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
      const [kB, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
      const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
      const filled = [a, b].every(({ dtype, shape }) => dtype === 'float32' && sizeOf(shape) > 0);
      const oneRowOfBias = !bias || (sizeOf(bias.shape) === n && bias.shape.at(-1) === n);
      const phi = ACTIVATIONS[activation];
      if (!filled || k !== kB || !oneRowOfBias || phi === undefined) return stock(params);
      const batch = broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
      const matrices = sizeOf(batch);
      const [valuesA, valuesB, c] = [floats(a), floats(b), newFloats(matrices * m * n)];
      // rows of many matrices times one: a single product, which threads and blocks share out better
      const folded = !transposeA && sizeOf(batchB) === 1;
      const rows = folded ? matrices * m : m;
      const placesA = folded ? [0] : placesOf(batchA, batch);
      const placesB = folded ? [0] : placesOf(batchB, batch);
      const matrix = (values: Float32Array, place: number, size: number) =>
        // a provider with memory of its own copies what it is given: the one matrix and not the whole batch
        whole(values.subarray(place * size, (place + 1) * size));
      placesA.forEach((placeA, place) => {
        provider().gemm({
          m: rows,
          n,
          k,
          a: matrix(valuesA, placeA, rows * k),
          transA: transposeA,
          b: matrix(valuesB, placesB[place]!, k * n),
          transB: transposeB,
          bias: optionalSlice(bias),
          c: matrix(c, place, rows * n),
          accumulate: false,
        });
      });
      if (phi) operations().activation({ kind: phi, count: c.length, x: whole(c), y: whole(c) });
      return output(params.backend, [...batch, m, n], c);
    },
  };
}

/** For every matrix of the product the place of an operand's own: along a dimension of 1 always the first. */
function placesOf(own: readonly number[], batch: readonly number[]): number[] {
  const missing = batch.length - own.length;
  return batch.reduce(
    (places, size, axis) => {
      const step = own[axis - missing] ?? 1;
      return places.flatMap(place =>
        Array.from({ length: size }, (_, i) => place * step + (step === 1 ? 0 : i)),
      );
    },
    [0],
  );
}

export const matMulKernels: readonly EngineKernel[] = [matMul('BatchMatMul'), matMul('_FusedMatMul')];
