// The newest rows of the gradient maps as lines; their y axis is the map's colour scale.
import type { FlowView, RunView } from '../../protocol/messages.ts';
import { powerOfTen } from '../format.ts';
import { drawMarker, styleOf } from '../kinds.ts';
import type { Theme } from '../theme.ts';
import { HIGHEST, LOWEST, paintRatio, REACH } from './cividis.ts';
import { haloText, horizontal } from './layered-canvas.ts';
import { linearTicks } from './scales.ts';

export interface ProfileArea {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface ProfileLine {
  run: RunView;
  flow: FlowView;
  layer: number;
}

const BAR = 8;

export function timeX(area: ProfileArea, t: number, seqLen: number): number {
  return area.left + ((t - 0.5) / seqLen) * (area.right - area.left);
}

export function ratioY(area: ProfileArea, log: number): number {
  return area.top + ((HIGHEST - log) / (HIGHEST - LOWEST)) * (area.bottom - area.top);
}

export function drawProfiles(
  context: CanvasRenderingContext2D,
  area: ProfileArea,
  lines: readonly ProfileLine[],
  chosen: string | null,
  theme: Theme,
): void {
  drawScale(context, area, theme);
  const seqLen = Math.max(1, ...lines.map(({ flow }) => flow.seqLen));
  const ordered = [...lines].sort((a, b) => Number(a.run.id === chosen) - Number(b.run.id === chosen));
  context.save();
  context.beginPath();
  context.rect(area.left, area.top - 2, area.right - area.left + 2, area.bottom - area.top + 3);
  context.clip();
  for (const line of ordered) drawLine(context, area, line, seqLen, line.run.id === chosen, theme);
  context.restore();
  drawNames(context, area, theme);
  drawReaches(context, area, ordered, seqLen, theme);
  drawTimeAxis(context, area, seqLen, theme);
}

function drawScale(context: CanvasRenderingContext2D, area: ProfileArea, theme: Theme): void {
  const height = Math.round(area.bottom - area.top);
  const pixel = new Uint8ClampedArray(4);
  for (let y = 0; y < height; y++) {
    paintRatio(pixel, 0, 10 ** (HIGHEST - (y / height) * (HIGHEST - LOWEST)));
    context.fillStyle = `rgb(${pixel[0]} ${pixel[1]} ${pixel[2]})`;
    context.fillRect(area.left - BAR, area.top + y, BAR, 1);
  }
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  const labels: [number, string][] = [
    [0, '1'],
    [REACH, '1 %'],
    [-4, powerOfTen(-4)],
    [LOWEST, `≤${powerOfTen(LOWEST)}`],
  ];
  for (const [log, text] of labels) {
    context.font = `${log === REACH ? '600 ' : ''}11px ${theme.font}`;
    context.fillStyle = log === REACH ? theme.foreground : theme.quiet;
    context.fillText(text, area.left - BAR - 4, ratioY(area, log));
  }
  context.font = `11px ${theme.font}`;
  context.lineWidth = 1;
  context.setLineDash([]);
  context.strokeStyle = theme.grid;
  horizontal(context, area.left, area.right, ratioY(area, 0));
  context.strokeStyle = theme.foreground;
  context.globalAlpha = 0.7;
  context.setLineDash([2, 2]);
  horizontal(context, area.left, area.right, ratioY(area, REACH));
  horizontal(context, area.left, area.right, area.top);
  context.setLineDash([]);
  context.globalAlpha = 1;
  context.strokeStyle = theme.lines;
  horizontal(context, area.left, area.right, area.bottom);
}

function drawNames(context: CanvasRenderingContext2D, area: ProfileArea, theme: Theme): void {
  context.textAlign = 'left';
  context.font = `11px ${theme.font}`;
  // above its line, where no curve runs
  haloText(context, 'exploding above 10', area.left + 4, area.top - 7, theme.quiet, theme.background);
  haloText(context, 'vanished', area.left + 4, area.bottom - 8, theme.quiet, theme.background);
}

function drawLine(
  context: CanvasRenderingContext2D,
  area: ProfileArea,
  { run, flow, layer }: ProfileLine,
  seqLen: number,
  isChosen: boolean,
  theme: Theme,
): void {
  const style = styleOf(run, theme);
  context.strokeStyle = style.color;
  context.lineWidth = isChosen ? 2.25 : 1.25;
  context.setLineDash(style.dash);
  context.beginPath();
  let isDown = false;
  for (let t = 1; t <= flow.seqLen; t++) {
    const value = flow.profile[layer * flow.seqLen + t - 1]!;
    const log = Math.log10(value);
    if (Number.isNaN(log)) isDown = false;
    else {
      const x = timeX(area, t + seqLen - flow.seqLen, seqLen);
      const y = ratioY(area, Math.max(LOWEST - 1, log));
      if (isDown) context.lineTo(x, y);
      else context.moveTo(x, y);
      isDown = true;
    }
  }
  context.stroke();
  context.setLineDash([]);
}

function drawReaches(
  context: CanvasRenderingContext2D,
  area: ProfileArea,
  lines: readonly ProfileLine[],
  seqLen: number,
  theme: Theme,
): void {
  const y = ratioY(area, REACH);
  context.textBaseline = 'middle';
  const taken: { from: number; to: number; row: number; text: string }[] = [];
  for (const { run, flow, layer } of lines) {
    const reach = flow.reach[layer];
    if (reach === null || reach === undefined) continue;
    // a reach of the whole window ends beyond the picture
    const x = timeX(area, seqLen - reach, seqLen);
    drawMarker(context, styleOf(run, theme), x, y, 4, theme.background);
    context.font = `600 11px ${theme.font}`;
    const text = `${reach}${reach >= flow.seqLen - 1 ? '+' : ''}`;
    const width = context.measureText(text).width;
    const isRight = x + 10 + width < area.right;
    const from = isRight ? x + 7 : x - 7 - width;
    // many runs that reach equally far are told once
    if (taken.some(box => box.text === text && Math.abs(box.from - from) < 12)) continue;
    let row = 0;
    while (taken.some(box => box.row === row && from < box.to + 3 && from + width > box.from - 3)) row++;
    taken.push({ from, to: from + width, row, text });
    context.textAlign = 'left';
    haloText(context, text, from, y + 13 + row * 12, theme.foreground, theme.background);
  }
}

export function drawTimeAxis(
  context: CanvasRenderingContext2D,
  area: ProfileArea,
  seqLen: number,
  theme: Theme,
): void {
  context.font = `11px ${theme.font}`;
  context.fillStyle = theme.quiet;
  context.textBaseline = 'middle';
  const y = area.bottom + 11;
  context.textAlign = 'left';
  context.fillText('t = 1', area.left, y);
  context.textAlign = 'right';
  const end = `T = ${seqLen}`;
  context.fillText(end, area.right, y);
  context.textAlign = 'center';
  for (const t of linearTicks(1, seqLen, 4)) {
    const x = timeX(area, t, seqLen);
    if (Number.isInteger(t) && x > area.left + 44 && x < area.right - 56) context.fillText(String(t), x, y);
  }
}
