// The probes: one line each, in the order in which their series are opened.
import { deadUnits } from './dead-units.ts';
import { gates } from './gates.ts';
import { gradientFlowFull } from './gradient-flow-full.ts';
import { jacobian } from './jacobian.ts';
import type { Probe } from './probe.ts';
import { reach } from './reach.ts';
import { spectrum } from './spectrum.ts';

export const PROBES: readonly Probe[] = [deadUnits, gradientFlowFull, reach, gates, spectrum, jacobian];
