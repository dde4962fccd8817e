// The test part, scored once at the end of a run with its best weights. Nothing is chosen by it.
import type { NamedTensor } from '../../runs/safetensors.ts';
import { readWeights, writeWeights } from '../layers/weights.ts';
import type { Trainer } from './trainer.ts';
import { figuresOf, scorePart } from './validation.ts';

/**
 * `weights`: of the best validation; null: the model's own. The model has its own again afterwards.
 * @returns testLoss and the task's figures as testRmse and the like; null where there is no test part
 */
export function* scoreTest(
  { model, task }: Trainer,
  weights: ReadonlyMap<string, NamedTensor> | null,
): Generator<undefined, Record<string, number> | null> {
  const own = weights ? readWeights(model) : null;
  try {
    if (weights) writeWeights(model, new Map(weights));
    const score = yield* scorePart(model, task, task.test());
    if (!score) return null;
    const { valLoss, ...figures } = figuresOf(task, score);
    return {
      testLoss: valLoss!,
      ...Object.fromEntries(
        Object.entries(figures).map(([name, value]) => [
          `test${name[0]!.toUpperCase()}${name.slice(1)}`,
          value,
        ]),
      ),
    };
  } finally {
    if (own) writeWeights(model, own);
  }
}
