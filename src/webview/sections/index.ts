// The sections of the page, in the order in which they stand: one line each. A name is the element's id, and what
// `view/focus` and the tables behind the charts go by.
import type { Page, Section } from '../page.ts';
import { FlowSection } from './flow.ts';
import { GatesSection } from './gates.ts';
import { LossesSection } from './losses.ts';
import { MatrixSection } from './matrix.ts';
import { ParametersSection } from './parameters.ts';
import { RunsSection } from './runs.ts';
import { SampleSection } from './sample.ts';
import { SpectrumSection } from './spectrum.ts';
import { TrySection } from './try.ts';

interface SectionKind {
  name: string;
  /** of the wide layout: above both columns, or in one of them; else all stand in their order here */
  column: 'top' | 'left' | 'right';
  make: new (page: Page) => Section;
}

export const SECTIONS = [
  { name: 'matrix', column: 'top', make: MatrixSection },
  { name: 'loss', column: 'left', make: LossesSection },
  { name: 'flow', column: 'right', make: FlowSection },
  { name: 'gates', column: 'left', make: GatesSection },
  { name: 'spectrum', column: 'left', make: SpectrumSection },
  { name: 'runs', column: 'top', make: RunsSection },
  { name: 'parameters', column: 'left', make: ParametersSection },
  { name: 'sample', column: 'right', make: SampleSection },
  { name: 'try', column: 'right', make: TrySection },
] as const satisfies readonly SectionKind[];

export type SectionName = (typeof SECTIONS)[number]['name'];
