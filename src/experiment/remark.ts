// A fault or a warning of a well-formed experiment, with its place.
import type { Path } from './place.ts';

export interface Remark {
  message: string;
  path: Path;
  severity: 'error' | 'warning';
  /** the fault is the key itself, not its value */
  ofKey?: boolean;
}

export const error = (path: Path, message: string): Remark => ({ path, message, severity: 'error' });
export const warning = (path: Path, message: string): Remark => ({ path, message, severity: 'warning' });
