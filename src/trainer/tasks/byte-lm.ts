// Byte language model: at every step, predict the next byte of a file. The vocabulary is always the 256 bytes.
import * as z from 'zod';
import { plural } from '../../experiment/words.ts';
import { readFileBytes } from '../data/bytes.ts';
import { locateData } from '../data/locate.ts';
import { countIds, splitIds } from '../data/symbol-ids.ts';
import { type Codec, crossEntropyOf, languageTask } from './language.ts';
import type { TaskModule } from './module.ts';

const BYTES = 256;

const CODEC: Codec = {
  unit: 'byte',
  symbols: BYTES,
  start: '\n',
  encode: text => ({ ids: [...Buffer.from(text, 'utf8')], strangers: [] }),
  writer() {
    const decoder = new TextDecoder('utf-8');
    return {
      add: id => decoder.decode(Uint8Array.of(id), { stream: true }),
      end: () => decoder.decode(),
    };
  },
};

const artifact = z.object({
  task: z.literal('byte-lm'),
  /** null: the file was no text */
  bytesPerCharacter: z.number().gt(0).nullable(),
});

export const byteLm: TaskModule<'byte-lm', typeof artifact> = {
  artifact,
  async open(experiment, data, place, known) {
    const path = locateData(data.path, place);
    const { ids, characters } = await readFileBytes(path, data.path, { bytes: place.part?.bytes });
    const bytesPerCharacter = known ? known.bytesPerCharacter : characters && ids.length / characters;
    const [train, valid] = splitIds(ids, data.split);
    const counts = countIds(train, BYTES);
    const held = countIds(valid.length > 0 ? valid : train, BYTES);
    const all = countIds(ids, BYTES).filter(count => count > 0).length;
    return languageTask(experiment, {
      name: 'byte-lm',
      path: data.path,
      split: data.split,
      ids,
      codec: CODEC,
      baseline: { loss: crossEntropyOf(counts, held), name: 'byte frequencies alone' },
      notes: [
        `${plural(ids.length, 'byte')}, ${all} different; ${bytesPerCharacter === null ? 'they are no UTF-8 text' : `${bytesPerCharacter.toFixed(2)} bytes a character`}.`,
      ],
      read: { bytes: ids.length, symbols: BYTES },
      lossUnit: 'nats/byte',
      metrics: loss => ({
        bitsPerByte: loss / Math.LN2,
        ...(bytesPerCharacter === null ? {} : { bitsPerChar: (loss / Math.LN2) * bytesPerCharacter }),
        perplexity: Math.exp(loss),
      }),
      artifact: () => ({ task: 'byte-lm', bytesPerCharacter }),
    });
  },
  sizes: () => ({ input: { kind: 'tokens', vocabulary: BYTES }, outputs: BYTES }),
  codec: () => CODEC,
};
