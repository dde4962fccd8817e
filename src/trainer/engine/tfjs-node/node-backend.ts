// What is used of tfjs-node's backend, as types: the package itself is no dependency.
import type { DataType, KernelBackend, Tensor, TensorInfo } from '@tensorflow/tfjs-core';

/** The name under which the package registers its backend. */
export const TENSORFLOW = 'tensorflow';

export interface NodeBinding {
  readonly TF_Version: string;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_INT64: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_TYPE: number;
  createTensor(shape: number[], type: number, values: ArrayBufferView): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
}

/** A tensor is in JavaScript's memory (`values`) until an operation reads it, then in TensorFlow's (`id`). */
export interface NodeTensorData {
  shape: number[];
  dtype: number;
  id: number;
  values: Float32Array | Int32Array | Uint8Array | null;
  refCount: number;
}

export interface OperationAttribute {
  name: string;
  type: number;
  value: number | boolean;
}

export interface NodeBackend extends Omit<KernelBackend, 'write'> {
  readonly binding: NodeBinding;
  readonly isUsingGpuDevice: boolean;
  readonly tensorMap: {
    get(dataId: object): NodeTensorData;
    set(dataId: object, data: NodeTensorData): void;
  };
  write(values: ArrayBufferView, shape: number[], dtype: DataType): object;
  executeSingleOutput(name: string, attributes: OperationAttribute[], inputs: TensorInfo[]): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: OperationAttribute[],
    inputs: TensorInfo[],
    outputs: number,
  ): Tensor[];
}
