// The series that this version knows by name. Apart from format.ts, whose schemas take long to load.

export const SERIES = {
  gradientFlow: 'gradient-flow',
  gradientFlowFull: 'gradient-flow-full',
  gates: 'gates',
  saturation: 'saturation',
  deadUnits: 'dead-units',
  spectrum: 'spectrum',
  jacobian: 'jacobian-flow',
} as const;
