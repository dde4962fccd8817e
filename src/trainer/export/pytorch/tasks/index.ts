// What each task adds to the exported code; the values themselves are in task.json. null: nothing.
import type { TaskName } from '../../../../experiment/tasks/index.ts';
import type { FinishedRun } from '../../../inference/finished-run.ts';
import { charLmCode } from './char-lm.ts';
import { FORECAST } from './forecast.ts';

const TASK_CODES: { [T in TaskName]: ((run: FinishedRun) => string) | null } = {
  'char-lm': charLmCode,
  forecast: () => FORECAST,
  classify: null,
  adding: null,
  'temporal-order': null,
};

export function taskCode(opened: FinishedRun): string {
  return TASK_CODES[opened.artifact.task]?.(opened) ?? '';
}
