// Where the first weights of a run came from: a file of another program or a checkpoint of another run, known again by its
// digest, with what of it was taken and what was left.
import * as z from 'zod';
import { plural } from '../experiment/words.ts';

const text = z.string().max(10_000);
const tensors = z.array(text).max(100_000);

export const weightsOriginSchema = z.object({
  /** as it was named, absolute */
  file: text,
  bytes: z.number().min(0).max(Number.MAX_SAFE_INTEGER),
  /** of the whole file, in hex */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** by layer, or by weight where the file has our names: the module of the file and its tensors */
  taken: z.array(z.object({ to: text, from: text, tensors })).max(100_000),
  /** tensors of the file that nothing begins with */
  left: tensors,
});

export type WeightsOrigin = z.output<typeof weightsOriginSchema>;

const SHOWN = 6;

/** "weights of a.safetensors (SHA-256 1a2b3c4d5e6f…)" */
export function originTitle({ file, sha256 }: WeightsOrigin): string {
  return `began with ${file.split(/[\\/]/).at(-1)} (SHA-256 ${sha256.slice(0, 12)}…)`;
}

/** What was taken and left, a sentence each. */
export function originLines({ file, taken, left }: WeightsOrigin): string[] {
  const isOwn = taken.every(({ to, from }) => to === from);
  const pairs = taken
    .slice(0, SHOWN)
    .map(({ to, from, tensors }) => `${to} from "${from}" (${plural(tensors.length, 'tensor')})`);
  const more = taken.length > SHOWN ? ', …' : '';
  const rest = left.slice(0, SHOWN).join(', ') + (left.length > SHOWN ? ', …' : '');
  return [
    file,
    isOwn
      ? `Taken: ${plural(taken.length, 'tensor')}, each by its own name.`
      : `Taken: ${pairs.join(', ')}${more}.`,
    left.length === 0 ? 'Left: nothing.' : `Left: ${plural(left.length, 'tensor')}, ${rest}.`,
  ];
}
