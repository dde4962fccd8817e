// How a sample is shown, by its type: a file each, and a line here. A series is a chart, which sample.ts draws.
import type { Sample } from '../../../protocol/messages.ts';
import { augmented } from './augmented.ts';
import { classes } from './classes.ts';
import { decoded } from './decoded.ts';
import { pairs } from './pairs.ts';
import { tagged } from './tagged.ts';
import { text } from './text.ts';

export type Written = Exclude<Sample, { type: 'series' }>;

const WAYS: { [T in Written['type']]: (sample: Extract<Sample, { type: T }>) => Node[] } = {
  text,
  pairs,
  classes,
  decoded,
  tagged,
  augmented,
};

/** Nothing of a type that a newer writer has. */
export function written(sample: Written): Node[] {
  const way = WAYS[sample.type] as ((sample: Written) => Node[]) | undefined;
  return way?.(sample) ?? [];
}
