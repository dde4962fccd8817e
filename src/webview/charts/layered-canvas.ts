// A chart's surface: a picture that is drawn when data changes, and a layer above it for the reading lines.
import { h } from '../dom.ts';

export class LayeredCanvas {
  readonly element: HTMLElement;
  readonly base = h('canvas');
  readonly overlay = h('canvas', { class: 'overlay' });
  width = 0;
  height = 0;

  constructor(label: string) {
    this.element = h('div', { class: 'chart', tabIndex: 0, role: 'img', label }, this.base, this.overlay);
  }

  set label(text: string) {
    if (this.element.getAttribute('aria-label') !== text) this.element.setAttribute('aria-label', text);
  }

  resize(width: number, height: number): void {
    fitCanvas(this.base, width, height);
    this.resizeOverlay(width, height);
  }

  /** For a picture that somebody else draws and sizes. */
  resizeOverlay(width: number, height: number): void {
    this.width = width;
    this.height = height;
    fitCanvas(this.overlay, width, height);
  }

  /** Both clear their canvas and measure in CSS pixels. */
  drawBase(): CanvasRenderingContext2D {
    return cleared(this.base);
  }

  drawOverlay(): CanvasRenderingContext2D {
    return cleared(this.overlay);
  }
}

/** Sets the size in CSS pixels; clears the canvas if it was another. */
export function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number): void {
  const ratio = window.devicePixelRatio || 1;
  const w = Math.max(1, Math.round(width * ratio));
  const hgt = Math.max(1, Math.round(height * ratio));
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  if (canvas.width === w && canvas.height === hgt) return;
  canvas.width = w;
  canvas.height = hgt;
}

function cleared(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d')!;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  const ratio = window.devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/** Text with an edge of the background, readable over lines. */
export function haloText(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  color: string,
  halo: string,
): void {
  context.lineJoin = 'round';
  context.setLineDash([]);
  context.strokeStyle = halo;
  context.lineWidth = 4;
  context.strokeText(text, x, y);
  context.fillStyle = color;
  context.fillText(text, x, y);
}

export function horizontal(context: CanvasRenderingContext2D, x0: number, x1: number, y: number): void {
  context.beginPath();
  context.moveTo(x0, Math.round(y) + 0.5);
  context.lineTo(x1, Math.round(y) + 0.5);
  context.stroke();
}

export function vertical(context: CanvasRenderingContext2D, x: number, y0: number, y1: number): void {
  context.beginPath();
  context.moveTo(Math.round(x) + 0.5, y0);
  context.lineTo(Math.round(x) + 0.5, y1);
  context.stroke();
}
