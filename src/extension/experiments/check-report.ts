// The report of `unroll check --json`, and the place in `data` that each of its sentences is about. Pure.
import type { Data } from '../../experiment/schema.ts';

export interface CheckReport {
  problems: { severity: 'error' | 'warning'; message: string }[];
}

/** null for anything else than such a report. */
export function readReport(text: string): CheckReport | null {
  let report: unknown;
  try {
    report = JSON.parse(text.trim().split('\n').at(-1) ?? '');
  } catch {
    return null;
  }
  const problems = (report as { problems?: unknown } | null)?.problems;
  if (!Array.isArray(problems)) return null;
  return {
    problems: problems.flatMap(problem => {
      const { message, severity } = (problem ?? {}) as Record<string, unknown>;
      if (typeof message !== 'string') return [];
      return [{ message, severity: severity === 'warning' ? ('warning' as const) : ('error' as const) }];
    }),
  };
}

/** The field whose value the sentence quotes, such as a column; else the file's path. */
export function placeOfFault(message: string, data: Data): (string | number)[] {
  const isQuoted = (value: unknown) => typeof value === 'string' && message.includes(JSON.stringify(value));
  for (const [key, value] of Object.entries(data)) {
    if (key === 'path' || key === 'task' || key === 'missing') continue;
    if (isQuoted(value)) return [key];
    const index = Array.isArray(value) ? value.findIndex(isQuoted) : -1;
    if (index >= 0) return [key, index];
  }
  return ['path'];
}
