// The option --engine, of every command that computes.
import type { EngineName } from '../../runs/format.ts';
import type { Arguments } from './command.ts';
import { CommandError } from './exit.ts';

export const ENGINES: readonly EngineName[] = ['auto', 'native', 'wasm', 'reference', 'tfjs-node'];

export function engineOf(args: Arguments): EngineName {
  const name = args.text('engine') ?? 'auto';
  const known = ENGINES.find(engine => engine === name);
  if (known) return known;
  throw new CommandError(`--engine must be one of ${ENGINES.join(', ')}, found ${JSON.stringify(name)}.`);
}
