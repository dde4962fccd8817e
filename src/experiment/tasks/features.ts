// What is read of sound: the fields of log-mel features, for every task with `audio`.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { columnOrNumber } from './file-task.ts';

const milliseconds = z.number().positive().max(10_000);

export const features = z
  .strictObject({
    mels: positiveInt
      .max(512)
      .default(40)
      .describe('Bands of the mel scale; fewer are used where some would be empty.'),
    windowMs: milliseconds.default(25).describe('Length of a window in milliseconds.'),
    hopMs: milliseconds
      .default(10)
      .describe('From window to window in milliseconds: a step of the sequence.'),
  })
  .describe('How sound becomes a sequence: log-mel features, up to half the rate of the files.');

/** The fields of a task that may hear its sequences. */
export const sound = {
  audio: columnOrNumber.optional().describe('The column that names a WAV file, relative to the table.'),
  features: features.optional(),
};

export type Features = z.output<typeof features>;

export const DEFAULT_FEATURES: Features = { mels: 40, windowMs: 25, hopMs: 10 };
