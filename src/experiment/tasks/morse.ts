// Morse code: letters as a key that is pressed and released, without the places where one ends and the next begins.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { UNALIGNED } from './ctc.ts';
import type { TaskKind } from './kind.ts';
import { DRAWN, testLength } from './symbols.ts';

/** Morse code, ITU-R M.1677-1 (2009). */
export const CODE: Readonly<Record<string, string>> = {
  ...{ A: '.-', B: '-...', C: '-.-.', D: '-..', E: '.', F: '..-.', G: '--.', H: '....', I: '..', J: '.---' },
  ...{ K: '-.-', L: '.-..', M: '--', N: '-.', O: '---', P: '.--.', Q: '--.-', R: '.-.', S: '...', T: '-' },
  ...{ U: '..-', V: '...-', W: '.--', X: '-..-', Y: '-.--', Z: '--..' },
};

/** Times a dot is long: of the longest letter with the pause behind it. */
const LONGEST = 16;
/** Steps of a dot, which differ from sequence to sequence. */
export const DOT = { least: 1, most: 3 };

const schema = z
  .strictObject({
    task: z.literal('morse'),
    length: positiveInt.max(1000).default(4).describe('Letters of a sequence.'),
    testLength: testLength('Letters'),
    noise: z
      .number()
      .min(0)
      .max(10)
      .default(0.2)
      .describe('Standard deviation of the noise; the key is 0 or 1.'),
  })
  .describe('Read Morse code of any speed, drawn: letters without their places (CTC).');

export const morse: TaskKind<typeof schema> = {
  schema,
  title: 'Morse code',
  ...UNALIGNED,
  ...DRAWN,
  outputsFrom: 'the letters and the blank',
  steps: ({ length }) => length * LONGEST * DOT.most,
  sizes: () => ({ input: { kind: 'vectors', features: 1 }, outputs: Object.keys(CODE).length + 1 }),
  starter: {
    description: 'generated · read Morse code of any speed',
    data: () => ({ task: 'morse', length: 4 }),
    embedding: 0,
    training: { learningRate: 0.005, steps: 1500 },
  },
};
