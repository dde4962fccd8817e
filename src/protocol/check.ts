// Checks what a page sends before the extension acts on it: a page may be broken, or not ours.
import type { ChartFormat, PageCommand, PageRequestName, ParamsOf, RunAction, TryGiven } from './messages.ts';

type Fields = Record<string, unknown>;

const ACTIONS: readonly RunAction[] = ['pause', 'resume', 'stop', 'checkpoint'];
const COMMANDS: readonly PageCommand[] = [
  'copyComparison',
  'saveComparison',
  'train',
  'compare',
  'openSample',
  'openTab',
  'followNewest',
  'export',
  'openExperiment',
  'openFolder',
  'trust',
];
const FORMATS: readonly ChartFormat[] = ['png', 'svg', 'csv'];
const MAX_CONTENT = 50e6;
const MAX_CHOICES = 100_000;
const MAX_RUNS = 1000;
const MAX_TYPED = 100_000;
const MAX_POINTS = 10_000;

/** @throws a sentence that names the request and the field */
export function checkRequest<N extends PageRequestName>(name: N, params: unknown): ParamsOf<N> {
  if (typeof params !== 'object' || params === null) throw new Error(`${name} came without parameters.`);
  return checks[name](params as Fields, name) as ParamsOf<N>;
}

const checks: { [N in PageRequestName]: (params: Fields, name: string) => ParamsOf<N> } = {
  'page/ready': (params, name) => ({ smoothing: numberIn(params, 'smoothing', name, 0, 0.9999) }),
  'curve/smooth': (params, name) => ({ smoothing: numberIn(params, 'smoothing', name, 0, 0.9999) }),
  'curve/range': (params, name) => ({
    runId: text(params, 'runId', name),
    curve: scalarName(params, 'curve', name),
    from: numberIn(params, 'from', name, 0, Number.MAX_SAFE_INTEGER),
    to: numberIn(params, 'to', name, 0, Number.MAX_SAFE_INTEGER),
    points: numberIn(params, 'points', name, 1, MAX_POINTS),
  }),
  'run/control': (params, name) => ({
    runIds: texts(params, 'runIds', name),
    action: oneOf(params, 'action', name, ACTIONS),
  }),
  'run/continue': (params, name) => ({ runIds: texts(params, 'runIds', name) }),
  'comparison/pin': (params, name) => ({
    runId: params['runId'] === null ? null : text(params, 'runId', name),
  }),
  'choices/load': () => ({}),
  'choices/save': (params, name) => ({ choices: text(params, 'choices', name, MAX_CHOICES) }),
  'chart/save': (params, name) => ({
    name: text(params, 'name', name),
    format: oneOf(params, 'format', name, FORMATS),
    content: text(params, 'content', name, MAX_CONTENT),
  }),
  'finding/fix': (params, name) => ({ runId: text(params, 'runId', name), fix: fix(params['fix'], name) }),
  'run/try': (params, name) => ({ runId: text(params, 'runId', name), given: given(params['given'], name) }),
  'command/run': (params, name) => {
    const command = oneOf(params, 'command', name, COMMANDS);
    return params['runId'] === undefined ? { command } : { command, runId: text(params, 'runId', name) };
  },
};

function wrong(name: string, field: string): never {
  throw new Error(`${name} came with a wrong "${field}".`);
}

function text(params: Fields, field: string, name: string, most = 1000): string {
  const value = params[field];
  return typeof value === 'string' && value.length <= most ? value : wrong(name, field);
}

function scalarName(params: Fields, field: string, name: string): string {
  const value = text(params, field, name);
  return /^[a-z][\w.-]*$/i.test(value) ? value : wrong(name, field);
}

function texts(params: Fields, field: string, name: string): string[] {
  const value = params[field];
  if (!Array.isArray(value) || value.length > MAX_RUNS) wrong(name, field);
  return value.map(item => (typeof item === 'string' && item.length <= 1000 ? item : wrong(name, field)));
}

function numberIn(params: Fields, field: string, name: string, low: number, high: number): number {
  const value = params[field];
  return typeof value === 'number' && value >= low && value <= high ? value : wrong(name, field);
}

function oneOf<T extends string>(params: Fields, field: string, name: string, values: readonly T[]): T {
  const value = params[field];
  return values.find(known => known === value) ?? wrong(name, field);
}

const LIMITS: Readonly<Record<keyof Omit<TryGiven, 'text' | 'sound'>, [low: number, high: number]>> = {
  row: [1, Number.MAX_SAFE_INTEGER],
  length: [1, 1000],
  beams: [1, 100],
  temperature: [0, 100],
  topK: [1, 10_000_000],
  topP: [1e-9, 1],
  seed: [0, 0xffff_ffff],
};

function given(value: unknown, name: string): TryGiven {
  if (typeof value !== 'object' || value === null) wrong(name, 'given');
  const fields = value as Fields;
  const taken: TryGiven = {};
  if (fields['text'] !== undefined) taken.text = text(fields, 'text', name, MAX_TYPED);
  if (fields['sound'] === true) taken.sound = true;
  for (const [field, [low, high]] of Object.entries(LIMITS) as [keyof typeof LIMITS, [number, number]][])
    if (fields[field] !== undefined) taken[field] = numberIn(fields, field, name, low, high);
  return taken;
}

function fix(value: unknown, name: string): ParamsOf<'finding/fix'>['fix'] {
  const { title, edits } = (value ?? {}) as Fields;
  if (typeof title !== 'string' || !Array.isArray(edits) || edits.length > 100) wrong(name, 'fix');
  return {
    title,
    edits: edits.map((edit: Fields | null) => {
      const path = edit?.['path'];
      const isPath =
        Array.isArray(path) &&
        path.length <= 20 &&
        path.every(part => typeof part === 'string' || (Number.isSafeInteger(part) && part >= 0));
      return isPath ? { path: path as (string | number)[], value: edit?.['value'] } : wrong(name, 'fix');
    }),
  };
}
