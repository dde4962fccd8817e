// What a task adds to the exported code, beside the model; the values themselves are in task.json. Few add anything.
import type { TaskName } from '../../../../experiment/tasks/index.ts';
import type { FinishedRun } from '../../../inference/finished-run.ts';
import { charLmCode } from './char-lm.ts';
import { FORECAST } from './forecast.ts';
import { pairsCode } from './pairs.ts';

const TASK_CODES: { [T in TaskName]?: (run: FinishedRun) => string } = {
  'char-lm': charLmCode,
  seq2seq: pairsCode,
  copy: pairsCode,
  reverse: pairsCode,
  sort: pairsCode,
  addition: pairsCode,
  forecast: () => FORECAST,
};

export function taskCode(opened: FinishedRun): string {
  return TASK_CODES[opened.artifact.task]?.(opened) ?? '';
}
