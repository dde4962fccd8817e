// What a run says when other programs held the processors: the share of its time in which one thread did the work of all.

/** Less than this is noise: other programs now and then take a processor for a moment. */
const LEAST = 0.05;

/** One sentence; null where the share is not known or not worth a word. */
export function contentionOf(timeAlone: unknown, threads: number): string | null {
  const share = percentOf(timeAlone);
  return share === null
    ? null
    : `For ${share} of its time one thread did the work of ${threads}, since other programs held the processors.`;
}

function percentOf(timeAlone: unknown): string | null {
  if (typeof timeAlone !== 'number' || !(timeAlone >= LEAST)) return null;
  return `${Math.round(100 * timeAlone)} %`;
}
