// Run folders are untrusted: what is read from them is checked here before anything relies on it.
import type * as z from 'zod';
import {
  EVENT_KINDS,
  eventSchema,
  type RunEvent,
  requestSchema,
  runSchema,
  SAMPLE_TYPES,
  sidecarSchema,
  statusSchema,
  writerSchema,
} from './format.ts';

/** The checked value, or a sentence. */
export type Checked<T> = { ok: true; value: T } | { ok: false; why: string };

function checker<S extends z.ZodType>(schema: S): (value: unknown) => Checked<z.output<S>> {
  return value => {
    const result = schema.safeParse(value);
    if (result.success) return { ok: true, value: result.data };
    const issue = result.error.issues[0];
    return { ok: false, why: whyNot(issue) };
  };
}

/** A part of a sentence in plain words: the library speaks of types of its own, such as undefined. */
export function whyNot(issue: z.core.$ZodIssue | undefined): string {
  const place = issue?.path.join('.') || 'the value';
  switch (issue?.code) {
    case 'invalid_type':
      return /received undefined/.test(issue.message)
        ? `${place} is missing`
        : `${place} is not of the kind ${issue.expected}`;
    case 'too_small':
      return isLength(issue)
        ? `${place} is ${issue.minimum === 1 ? 'empty' : `shorter than ${issue.minimum}`}`
        : `${place} is below ${issue.minimum}`;
    case 'too_big':
      return `${place} is ${isLength(issue) ? 'longer than' : 'above'} ${issue.maximum}`;
    case 'invalid_value':
      return `${place} is none of ${issue.values.slice(0, 20).join(', ')}`;
    // a sentence of ours
    case 'custom':
      return `${place}: ${issue.message}`;
    default:
      return `${place} is not valid`;
  }
}

function isLength({ origin }: { origin: string }): boolean {
  return origin === 'string' || origin === 'array';
}

export const checkRequest = checker(requestSchema);
export const checkRun = checker(runSchema);
export const checkStatus = checker(statusSchema);
export const checkWriter = checker(writerSchema);
export const checkSidecar = checker(sidecarSchema);

const checkKnownEvent = checker(eventSchema);

/** null: an event, or a sample, of a kind that only a newer version knows. */
export function checkEvent(value: unknown): Checked<RunEvent> | null {
  const { kind, sample } = (value ?? {}) as { kind?: unknown; sample?: { type?: unknown } | null };
  if (isOther(kind, EVENT_KINDS) || (kind === 'sample' && isOther(sample?.type, SAMPLE_TYPES))) return null;
  return checkKnownEvent(value);
}

function isOther(name: unknown, known: ReadonlySet<unknown>): boolean {
  return typeof name === 'string' && name !== '' && !known.has(name);
}
