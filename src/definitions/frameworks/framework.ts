// What the three frameworks tell of themselves: their constructors by qualified name, with parameters and defaults.
import type { Convention } from '../../experiment/schema.ts';
import type { Constant } from '../code/expression.ts';
import type { CellKind, Framework } from '../definition.ts';

export type Role =
  | 'recurrent'
  | 'wrapper'
  | 'embedding'
  | 'dense'
  | 'dropout'
  | 'input'
  | 'model'
  /** leaves the last dimension as it is */
  | 'keeps'
  /** makes a sequence of one step */
  | 'repeat'
  /** named and counted, not trained from code */
  | 'sequence'
  | 'other';

export interface Constructor {
  framework: Framework;
  name: string;
  role: Role;
  cell: CellKind | null;
  isCell: boolean;
  /** names of arguments that are given by place */
  positional: readonly string[];
  defaults: Readonly<Record<string, Constant>>;
}

export interface FrameworkRules {
  framework: Framework;
  convention: Convention;
  /** `isAt`: whether the file has to do with the framework at all, for names that nothing binds */
  recognise(qualified: string, isAt: boolean): Constructor | null;
  /** an argument's name here for what the others call units, and so on */
  names: Readonly<{
    units: readonly string[];
    inputSize: readonly string[];
    layers: string | null;
    bidirectional: string | null;
    returnSequences: string | null;
    batchFirst: string | null;
  }>;
}
