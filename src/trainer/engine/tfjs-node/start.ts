// The engine "tfjs-node": our layers on TensorFlow's backend. It is never a dependency, and never taken by "auto".

import { availableParallelism } from 'node:os';
import { setBackend } from '@tensorflow/tfjs-core';
import type { RunFile } from '../../../runs/format.ts';
import { startBackend } from '../backend.ts';
import { referenceProvider } from '../reference/provider.ts';
import { findTfjsNode, HOW_TO_GET } from './find.ts';
import { registerTensorflowKernels, useOtherGradients, useTensorflowGradients } from './kernels.ts';
import { loadTfjsNode } from './load.ts';
import { type NodeBackend, TENSORFLOW } from './node-backend.ts';

interface Started {
  backend: NodeBackend;
  /** TensorFlow's threads are set once */
  threads: number;
}
let started: Started | null = null;

/** The engine as run.json names it, or the sentence that says why it is not to be had. */
export async function startTfjsNode(threads: number | null): Promise<RunFile['engineUsed'] | string> {
  if (!started) {
    const found = findTfjsNode(process.env);
    if ('missing' in found) return `The tfjs-node engine cannot be used: ${found.missing}.`;
    // optimizers and checkpoints work on arrays: the reference provider does that part
    await startBackend(referenceProvider);
    try {
      started = { backend: loadTfjsNode(found.folder, threads), threads: threads ?? availableParallelism() };
    } catch (cause) {
      return `The tfjs-node engine in ${found.folder} cannot be loaded: ${firstLine(cause)}. ${HOW_TO_GET}.`;
    }
    registerTensorflowKernels();
  }
  await startBackend(referenceProvider);
  useTensorflowGradients();
  await setBackend(TENSORFLOW);
  const { backend } = started;
  return {
    provider: 'tfjs-node',
    instructionSet: `TensorFlow ${backend.binding.TF_Version}${backend.isUsingGpuDevice ? ', GPU' : ''}`,
    threads: started.threads,
    why: 'tfjs-node was asked for',
  };
}

/** To be called before another engine starts. */
export { useOtherGradients as leaveTfjsNode };

function firstLine(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.split('\n', 1)[0]!.trim().replace(/\.$/, '');
}
