// tfjs's own matrix products, on the provider where they are plain 2-D ones; the rest stays with tfjs-backend-cpu.
import { getKernel, type KernelFunc, type TensorInfo } from '@tensorflow/tfjs-core';
import { optionalSlice, provider, slice, whole } from '../storage.ts';
import { type EngineKernel, output, sizeOf } from './kernel.ts';

interface MatMulAttributes {
  transposeA: boolean;
  transposeB: boolean;
  activation?: string;
}

function isOneMatrix({ shape, dtype }: TensorInfo): boolean {
  return dtype === 'float32' && sizeOf(shape.slice(0, -2)) === 1;
}

function matMul(name: 'BatchMatMul' | '_FusedMatMul'): EngineKernel {
  const stock = (params: Parameters<KernelFunc>[0]) => getKernel(name, 'cpu').kernelFunc(params);
  return {
    name,
    run(params) {
      const { a, b, bias } = params.inputs;
      const { transposeA, transposeB, activation } = params.attrs as unknown as MatMulAttributes;
      const [rowsA, columnsA] = a!.shape.slice(-2) as [number, number];
      const [rowsB, columnsB] = b!.shape.slice(-2) as [number, number];
      const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
      const [kB, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
      const plain = isOneMatrix(a!) && isOneMatrix(b!) && (activation ?? 'linear') === 'linear';
      if (!plain || k !== kB || (bias && sizeOf(bias.shape) !== n)) return stock(params);
      const c = new Float32Array(m * n);
      provider().gemm({
        m,
        n,
        k,
        a: slice(a!),
        transA: transposeA,
        b: slice(b!),
        transB: transposeB,
        bias: optionalSlice(bias),
        c: whole(c),
        accumulate: false,
      });
      const batch = a!.shape.length > b!.shape.length ? a!.shape.slice(0, -2) : b!.shape.slice(0, -2);
      return output(params.backend, [...batch, m, n], c);
    },
  };
}

export const matMulKernels: readonly EngineKernel[] = [matMul('BatchMatMul'), matMul('_FusedMatMul')];
