// A trained model's answers to JSON: a whole request as `unroll predict` or `unroll sample` answers it, or one step of a
// sequence whose state is kept.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as z from 'zod';
import { traitsOf } from '../../../experiment/models.ts';
import { whyNot } from '../../../runs/validate.ts';
import type { Model } from '../../layers/model.ts';
import { stepper } from '../../layers/stepper.ts';
import { codecOf, steppingOf } from '../../tasks/index.ts';
import type { Json, Stepping } from '../../tasks/stepping.ts';
import { InputError } from '../../training/prepare.ts';
import { type FinishedRun, loadModel } from '../finished-run.ts';
import { predictorOf } from '../predict/index.ts';
import { writeText } from '../sample.ts';
import { Sessions } from './sessions.ts';

/** A request that is not answered, with the status that says of which sort it is. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Answer = Readonly<Record<string, unknown>>;

export interface Answers {
  /** what is served, and the form of what may be asked */
  about(): Answer;
  /** @throws RequestError, DataError and InputError, each one sentence */
  predict(body: unknown): Promise<Answer>;
  step(body: unknown): Answer;
  /** drops sessions that nobody uses */
  tidy(): void;
}

const MOST_SYMBOLS = 10_000;

const drawing = {
  temperature: z.number().min(0).max(100).optional(),
  topK: z.int().min(1).optional(),
  topP: z.number().gt(0).max(1).optional(),
  seed: z.int().min(0).max(0xffff_ffff).optional(),
};

const textBody = z.strictObject({
  prompt: z.string().max(10_000).optional(),
  length: z.int().min(1).max(MOST_SYMBOLS).optional(),
  ...drawing,
});

const fileBody = z.strictObject({
  rows: z.array(z.record(z.string(), z.json())).min(1).optional(),
  text: z.string().min(1).optional(),
  format: z.enum(['csv', 'tsv', 'jsonl', 'txt']).optional(),
  next: z.boolean().optional(),
  beams: z.int().min(1).max(100).optional(),
  lengthPenalty: z.number().min(0).max(10).optional(),
  ...drawing,
});

const stepBody = z.strictObject({
  session: z.string().max(100).optional(),
  input: z.unknown().optional(),
  end: z.boolean().optional(),
});

/** @throws BadRunError, EngineUnavailableError */
export async function answersOf(run: FinishedRun, sessions = new Sessions()): Promise<Answers> {
  const model = await loadModel(run);
  const { artifact, step, best } = run;
  const writes = codecOf(artifact) !== null;
  const whole = wholeWith(run);
  const stepping = steppingWith(run, whole === null);
  return {
    about: () => ({
      run: basename(run.folder),
      task: artifact.task,
      step,
      best,
      predict: whole ?? (writes ? Object.keys(textBody.shape) : Object.keys(fileBody.shape)),
      stepInput: typeof stepping === 'string' ? null : stepping.reads,
      sessions: sessions.size,
    }),
    async predict(body) {
      if (whole !== null) throw new InputError(whole);
      if (!writes) return predictTable(run, model, parsed(fileBody, body));
      const writing = writeText(model, run, parsed(textBody, body));
      for (;;) {
        const { done, value } = writing.next();
        if (done) return { ...value };
        // a long text must not hold up what else is asked
        await setImmediate();
      }
    },
    step(body) {
      if (typeof stepping === 'string') throw new InputError(stepping);
      return stepOf(model, stepping, sessions, parsed(stepBody, body));
    },
    tidy: () => sessions.drop(),
  };
}

/** Why nothing whole can be asked of it; null: it can. */
function wholeWith({ artifact }: FinishedRun): string | null {
  if (codecOf(artifact)) return null;
  if (!predictorOf(artifact))
    return `Runs of "${artifact.task}" draw their own data; nothing is predicted by them.`;
  // a table names sound files, and a client may not name files of this machine
  if ('audio' in artifact && artifact.audio)
    return 'This run reads sound files, which are not sent by HTTP; use `unroll predict RUN FILE`.';
  return null;
}

/** A string: why its model is not read step by step. */
function steppingWith({ artifact, run }: FinishedRun, isWhole: boolean): Stepping | string {
  const { model } = run.experiment;
  const other = isWhole ? ' POST /predict takes whole sequences.' : '';
  const why = (reason: string) => `This run is not read step by step: ${reason}.${other}`;
  if (model.encoder) return why('its encoder reads whole sources');
  if (model.layers.some(layer => traitsOf(layer).sees === 'all'))
    return why('a layer of its model sees later steps too');
  const stepping = steppingOf(artifact);
  return typeof stepping === 'string' ? why(stepping) : stepping;
}

async function predictTable(
  run: FinishedRun,
  model: Model,
  body: z.output<typeof fileBody>,
): Promise<Answer> {
  const { rows, text, beams, lengthPenalty, temperature, topK, topP, seed = 1 } = body;
  if ((rows === undefined) === (text === undefined))
    throw new RequestError(
      400,
      'The request must have either "rows", an array of objects, or "text", the text of a file.',
    );
  if (rows && body.format) throw new RequestError(400, '"format" is of "text"; leave it out beside "rows".');
  const isDrawn = temperature !== undefined || topK !== undefined || topP !== undefined;
  if (isDrawn && (beams ?? 1) > 1)
    throw new RequestError(400, 'Symbols are either drawn or followed by beams: leave out one of both.');
  const folder = mkdtempSync(join(tmpdir(), 'unroll-serve-'));
  try {
    // readers go over a file more than once
    const file = join(folder, `request.${rows ? 'jsonl' : (body.format ?? 'csv')}`);
    writeFileSync(file, rows ? rows.map(row => JSON.stringify(row)).join('\n') : text!, { mode: 0o600 });
    const predicted = await predictorOf(run.artifact)!(model, run.artifact, file, {
      beams,
      lengthPenalty,
      drawing: isDrawn ? { temperature: temperature ?? 1, topK, topP, seed } : undefined,
    });
    const { facts, notes, next } = predicted;
    return { ...facts, step: run.step, best: run.best, notes, rows: body.next ? [] : predicted.rows, next };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function stepOf(
  model: Model,
  stepping: Stepping,
  sessions: Sessions,
  { session: id, input, end = false }: z.output<typeof stepBody>,
): Answer {
  const found = id === undefined ? null : sessions.find(id);
  if (id !== undefined && !found)
    throw new RequestError(
      404,
      'There is no such session; it may have been idle for too long. Leave "session" out to begin one.',
    );
  if (end && id !== undefined && input === undefined) {
    sessions.end(id);
    return { session: id, steps: found!.steps, output: null, ended: true };
  }
  const session = found ?? { stepper: stepper(model, 1), reader: stepping.begin(), steps: 0 };
  const steps = session.reader.read(input);
  const own = id ?? sessions.add(session);
  if (own === null)
    throw new RequestError(
      503,
      `There are as many sessions as are kept; end one with {"session": …, "end": true}, or wait.`,
    );
  let outputs: Float32Array | null = null;
  for (const values of steps) outputs = session.stepper.step(values);
  session.steps += steps.length;
  if (end) sessions.end(own);
  const output: Record<string, Json> | null = outputs && {
    ...session.reader.answer(outputs, session.stepper),
  };
  return { session: own, steps: session.steps, output, ended: end };
}

/** @throws RequestError with the first fault and its place */
function parsed<S extends z.ZodObject>(schema: S, body: unknown): z.output<S> {
  const checked = schema.safeParse(body);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  if (issue?.code === 'unrecognized_keys')
    throw new RequestError(
      400,
      `The request has no field ${JSON.stringify(issue.keys[0]!.slice(0, 40))}; there are ${Object.keys(schema.shape).join(', ')}.`,
    );
  throw new RequestError(400, `The request cannot be used: ${whyNot(issue).slice(0, 200)}.`);
}
