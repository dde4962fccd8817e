// What stands beside a text: files of the same project, by how they are imported, by what calls them, and their
// configuration. Nothing is run. A file that is not there yet is none, and may be there the next time.
import type { Binding } from './expression.ts';
import type { Source } from './node.ts';

export interface Project {
  /** The file that an import of this name leads to from a file. */
  module(name: string, from: Source): Source | null;
  /** Files that mention a name, `from` not among them. */
  mentioning(name: string, from: Source): readonly Source[];
  /** What a configuration file gives for `cfg.model.hidden_size`; null where none does. */
  configured(path: readonly string[], from: Source): readonly Binding[] | null;
}

export const NO_PROJECT: Project = { module: () => null, mentioning: () => [], configured: () => null };
