// The findings: one line each. Earlier ones explain later ones away.
import { deadUnits } from './dead-units.ts';
import { exploding } from './exploding.ts';
import type { Finder, Holds } from './facts.ts';
import { overfitting, overfittingHolds } from './overfitting.ts';
import { plateau, plateauHolds } from './plateau.ts';
import { saturatedGates } from './saturated-gates.ts';
import { vanishing, vanishingHolds } from './vanishing.ts';

interface FindingKind {
  id: string;
  find: Finder;
  /** not looked for once one of these was found */
  unless?: readonly string[];
  /** whether it still holds later; left out: always */
  holds?: Holds;
}

export const FINDINGS: readonly FindingKind[] = [
  { id: 'exploding', find: exploding },
  { id: 'vanishing', find: vanishing, holds: vanishingHolds },
  { id: 'overfitting', find: overfitting, holds: overfittingHolds },
  { id: 'saturated-gates', find: saturatedGates },
  { id: 'dead-units', find: deadUnits },
  {
    id: 'plateau',
    find: plateau,
    unless: ['vanishing', 'exploding', 'overfitting', 'dead-units'],
    holds: plateauHolds,
  },
];
