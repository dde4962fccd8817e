// Sections of results, and the page that is made of them: each figure that has a target stands beside it.
import type { Machine } from './machine.ts';
import { type Row, reached, type Target } from './results.ts';

export interface Section {
  name: string;
  title: string;
  /** what was measured and how */
  text: string;
  columns: string[];
  cells: string[][];
  targets: Target[];
  /** who did not take part, and why */
  skipped: string[];
  data: Row[];
  /** of the machine, when this section began */
  load?: number;
  date?: string;
  /** of the peers */
  versions?: string[];
  processor?: string;
}

/** What the page is made of, without the rows for programs. */
export type KeptSection = Omit<Section, 'data'>;

/** In this order, which is that of the page; `missing`: groups that were not measured on this processor. */
export function pageOf(
  sections: readonly KeptSection[],
  machine: Machine,
  missing: readonly string[] = [],
): string {
  const { processor, cores, caches, memory, system, node } = machine;
  const versions = [...new Set(sections.flatMap(section => section.versions ?? []))].sort();
  const missed = sections.flatMap(({ targets }) => targets).filter(target => !reached(target));
  return [
    '# Results of the benchmark',
    '',
    'Made by `npm run bench`; every figure is as it was measured. [README.md](README.md) says what is measured and how.',
    '',
    `- Processor: ${processor}; ${cores} cores; caches: ${caches}`,
    `- Memory: ${memory}. System: ${system}. Node ${node}${versions.map(version => `, ${version}`).join('')}`,
    '',
    summaryOf(missed),
    ...(missing.length > 0 ? ['', `Not measured on this processor: ${missing.join(', ')}.`] : []),
    ...sections.flatMap(sectionLines),
    '',
  ].join('\n');
}

function summaryOf(missed: readonly Target[]): string {
  if (missed.length === 0) return 'Every figure that has a target reaches it.';
  const names = missed.map(({ name }) => name).join('; ');
  return missed.length === 1
    ? `1 figure falls short of its target: ${names}.`
    : `${missed.length} figures fall short of their targets: ${names}.`;
}

function sectionLines({ title, text, columns, cells, targets, skipped, load, date }: KeptSection): string[] {
  const when = [date, load === undefined ? null : `load of the machine when it began: ${load.toFixed(1)}`];
  return [
    '',
    `## ${title}`,
    '',
    text,
    '',
    ...table(columns, cells),
    ...(targets.length > 0
      ? ['', ...table(['figure', 'measured', 'target', ''], targets.map(targetCells))]
      : []),
    ...(skipped.length > 0 ? ['', ...skipped.map(reason => `- Left out: ${reason}`)] : []),
    '',
    `*${when.filter(Boolean).join('; ')}*`,
  ];
}

function targetCells(target: Target): string[] {
  const { name, value, target: wanted, atLeast, unit } = target;
  const verdict = reached(target) ? 'reached' : `**short by ${shortfall(target)}**`;
  return [
    name,
    `${show(value)}${unit}`,
    `${atLeast ? 'at least' : 'at most'} ${show(wanted)}${unit}`,
    verdict,
  ];
}

function shortfall({ value, target }: Target): string {
  return `${((100 * Math.abs(value - target)) / Math.abs(target)).toFixed(0)} %`;
}

function table(columns: readonly string[], cells: readonly string[][]): string[] {
  if (cells.length === 0) return ['Nothing could be measured.'];
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...cells.map(line)];
}

/** Three digits that count. */
export function show(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(6, digits));
}

export function percent(share: number | null): string {
  return share === null || !Number.isFinite(share) ? '–' : `${(100 * share).toFixed(1)} %`;
}
