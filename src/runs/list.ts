// The runs of a workspace, cheaply: identity and status only, no curves.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Metric, RunRequest, RunStatus } from './format.ts';
import { jsonText, readSmall, replaceFile } from './json.ts';
import { metricsOf } from './metrics.ts';
import { FILES, isRunId } from './paths.ts';
import { RunReader } from './reader.ts';
import { checkRequest, checkRun, checkStatus } from './validate.ts';

/** `label.json`: of a person, beside the run's own files. */
export interface RunLabel {
  /** null: the experiment's */
  name: string | null;
  note: string;
  isStarred: boolean;
  tags: string[];
}

const MAX_NOTE = 4000;
const MAX_TAGS = 20;

export interface RunSummary {
  folder: string;
  id: string;
  /** the name a person gave it, else the experiment's */
  name: string;
  /** what a person said of it */
  label: RunLabel;
  request: RunRequest;
  status: RunStatus;
  /** the task's own first metric */
  metric: Metric | null;
}

const MAX_JSON_BYTES = 16e6;

/** Newest first; folders that are no valid runs are left out. */
export function listRuns(runsFolder: string): RunSummary[] {
  let names: string[];
  try {
    names = readdirSync(runsFolder);
  } catch {
    return [];
  }
  return names
    .filter(isRunId)
    .sort()
    .reverse()
    .flatMap(name => readSummary(join(runsFolder, name)) ?? []);
}

export function readSummary(folder: string): RunSummary | null {
  const run = existsSync(join(folder, FILES.run)) ? checkRun(readJson(join(folder, FILES.run))) : null;
  const request = run?.ok ? run : checkRequest(readJson(join(folder, FILES.request)));
  if (!request.ok) return null;
  const checked = checkStatus(readJson(join(folder, FILES.status)));
  const status = checked.ok ? checked.value : statusFromEvents(folder);
  if (!status) return null;
  const label = labelOf(folder);
  const [metric = null] = metricsOf(request.value);
  return {
    folder,
    id: request.value.id,
    name: label.name ?? request.value.name,
    label,
    request: request.value,
    status,
    metric,
  };
}

/** Threads that the run began with; null before its start. */
export function recordedThreads(folder: string): number | null {
  const run = checkRun(readJson(join(folder, FILES.run)));
  return run.ok ? run.value.engineUsed.threads : null;
}

/** Where status.json is lost or cannot be read. */
function statusFromEvents(folder: string): RunStatus | null {
  const reader = new RunReader(folder);
  while (reader.poll() || reader.behind);
  return reader.status;
}

function labelOf(folder: string): RunLabel {
  const read = readJson(join(folder, FILES.label)) as Record<string, unknown> | null;
  const text = (value: unknown, most: number) => (typeof value === 'string' ? value.slice(0, most) : '');
  return {
    name: text(read?.['name'], 200) || null,
    note: text(read?.['note'], MAX_NOTE),
    isStarred: read?.['isStarred'] === true,
    tags: Array.isArray(read?.['tags'])
      ? read['tags'].flatMap(tag => text(tag, 50) || []).slice(0, MAX_TAGS)
      : [],
  };
}

/** Changes what a person said of a run; the run's own files stay as they are. */
export function labelRun(folder: string, change: Partial<RunLabel>): void {
  const label = { ...labelOf(folder), ...change };
  replaceFile(join(folder, FILES.label), jsonText(label));
}

/** Gives a run another name. */
export function renameRun(folder: string, name: string): void {
  labelRun(folder, { name: name.trim().slice(0, 200) });
}

/** Bytes of all files below. */
export function diskUse(folder: string): number {
  let bytes = 0;
  let entries: import('node:fs').Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return 0;
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += diskUse(path);
    else if (entry.isFile())
      try {
        bytes += statSync(path).size;
      } catch {
        // deleted meanwhile
      }
  }
  return bytes;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readSmall(path, MAX_JSON_BYTES) ?? 'null');
  } catch {
    return null;
  }
}
