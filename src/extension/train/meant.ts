// Whether a file is the one that code names. Pure.

/** Code runs in a folder of its own, so that only the end of its path is sure. */
export function isMeant(path: string, written: string): boolean {
  const tail = written.replace(/^(\.{0,2}\/)+/, '');
  return path === tail || path.endsWith(`/${tail}`) || tail.endsWith(`/${path}`);
}
