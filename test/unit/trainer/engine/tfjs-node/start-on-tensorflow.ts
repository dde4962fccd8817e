// Stands in for engine/start.ts where the trainer's suite runs on TensorFlow (see on-tensorflow.cjs).
import { startEngine as start } from '../../../../../src/trainer/engine/start.ts';

export { EngineUnavailableError } from '../../../../../src/trainer/engine/start.ts';

export const startEngine: typeof start = async (_name, threads) => {
  const used = await start('tfjs-node', threads);
  process.env.UNROLL_TEST_RAN_ON = used.instructionSet;
  return used;
};
