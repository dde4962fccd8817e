// The lines of a text file with their numbers.
import { textChunks } from '../text.ts';

export interface Line {
  text: string;
  /** from 1 */
  line: number;
}

export async function* linesOf(
  path: string,
  name: string,
  bytes: number | undefined,
): AsyncGenerator<Line, void> {
  let [rest, line] = ['', 0];
  for await (const chunk of textChunks(path, name, { bytes })) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const text of lines) yield { text: text.replace(/\r$/, ''), line: ++line };
  }
  if (rest !== '') yield { text: rest, line: ++line };
}
