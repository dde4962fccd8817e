// The gradient heatmap in a terminal: time step across, training step down, log colours; and the reach in numbers.
import { cividis } from './colours.ts';
import { background, foreground, type Screen, sideBySide } from './terminal.ts';

/** Powers of ten below the last step's norm that the colours span. */
const DECADES = 6;
const SHADES = ' ░▒▓█';

export interface FlowRows {
  steps: ArrayLike<number>;
  /** per row the norms of one layer, t = 0 … T-1 */
  rows: readonly ArrayLike<number>[];
}

/** Lines of the picture, each of two training steps where half blocks can be coloured. */
export function drawHeatmap(flow: FlowRows, width: number, height: number, screen: Screen): string[] {
  const seqLen = flow.rows[0]?.length ?? 0;
  if (seqLen === 0) return [];
  const columns = Math.min(width - 9, seqLen);
  const perLine = screen.colours === 'none' ? 1 : 2;
  const wanted = Math.min(height * perLine, flow.rows.length);
  const picked = Array.from({ length: wanted }, (_, i) =>
    Math.round((i * (flow.rows.length - 1)) / Math.max(1, wanted - 1)),
  );
  const pictured = picked.map(index => shares(flow.rows[index]!, columns));
  const lines: string[] = [];
  for (let i = 0; i < pictured.length; i += perLine) {
    const label = String(flow.steps[picked[i]!]).padStart(8);
    lines.push(`${label} ${lineOf(pictured[i]!, perLine === 2 ? pictured[i + 1] : undefined, screen)}`);
  }
  const first = 't = 1';
  const last = `t = ${seqLen}`;
  lines.push(`    step ${first}${last.padStart(Math.max(last.length + 1, columns - first.length))}`);
  return lines;
}

export function legend(screen: Screen): string {
  const cells = Array.from({ length: 24 }, (_, i) => i / 23);
  const bar =
    screen.colours === 'none'
      ? [...SHADES].map(shade => shade.repeat(4)).join('')
      : cells.map(share => background(screen, cividis(share), ' ')).join('');
  return sideBySide(
    [`1e-${DECADES} ${bar} 1`, "‖∂L/∂h_t‖ as a share of the last step's, log scale"],
    '  ',
    screen.textColumns,
  );
}

/** 0 (a millionth of the last step or less) … 1 per column; the greatest of the steps that a column covers. */
function shares(row: ArrayLike<number>, columns: number): number[] {
  const last = row[row.length - 1]!;
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * row.length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * row.length) / columns));
    let greatest = Number.NaN;
    for (let t = from; t < to; t++) if (!(row[t]! <= greatest)) greatest = row[t]!;
    const ratio = greatest / last;
    if (Number.isNaN(ratio)) return Number.NaN;
    return ratio <= 0 ? 0 : Math.min(1, Math.max(0, 1 + Math.log10(ratio) / DECADES));
  });
}

function lineOf(upper: readonly number[], lower: readonly number[] | undefined, screen: Screen): string {
  if (screen.colours === 'none') {
    return upper
      .map(share =>
        Number.isNaN(share) ? '?' : SHADES[Math.min(SHADES.length - 1, Math.floor(share * SHADES.length))],
      )
      .join('');
  }
  return upper
    .map((share, column) => {
      const below = lower?.[column];
      const top = foreground(screen, colourOf(share), '▀');
      return below === undefined ? top : background(screen, colourOf(below), top);
    })
    .join('');
}

/** What is no number is red: it belongs to no place on the scale. */
function colourOf(share: number) {
  return Number.isNaN(share) ? ([214, 39, 40] as const) : cividis(share);
}
