// The JSON schema of `*.rnn.json`, made from the one source: completion and hover in any editor.
import { z } from 'zod';
import { experimentSchema } from './schema.ts';

export function experimentJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(experimentSchema, { io: 'input', target: 'draft-7' }),
    title: 'Unroll experiment',
    allowComments: true,
    allowTrailingCommas: true,
  };
}
