// A chart as PNG, SVG and CSV: drawn anew by what drew it on the page, with the theme's background.
import '@vscode-elements/elements/dist/vscode-context-menu/index.js';
import type { ChartFormat } from '../../protocol/messages.ts';
import { h, iconButton } from '../dom.ts';
import type { Page } from '../page.ts';
import { SvgContext } from './svg-context.ts';

export interface ChartSource {
  /** of the file that is offered */
  name: string;
  width: number;
  height: number;
  /** draws in CSS pixels; a picture that has no vectors goes in by drawImage */
  paint(context: CanvasRenderingContext2D): void;
  head: string[];
  rows: (string | number | null)[][];
}

interface Menu extends HTMLElement {
  show: boolean;
  data: { label: string; value: string; tabindex: number }[];
}

const PIXELS = 2;

/** A button with a menu; `source` null: nothing is drawn. */
export function saveButton(page: Page, what: string, source: () => ChartSource | null): HTMLElement {
  const menu = document.createElement('vscode-context-menu') as Menu;
  menu.data = [
    { label: 'Save as PNG…', value: 'png', tabindex: 0 },
    { label: 'Save as SVG…', value: 'svg', tabindex: 0 },
    { label: 'Save the data as CSV…', value: 'csv', tabindex: 0 },
  ];
  const button = iconButton('save', `Save ${what} as PNG, SVG or CSV`, () => {
    menu.show = !menu.show;
    if (menu.show) menu.focus();
  });
  button.setAttribute('aria-haspopup', 'menu');
  menu.addEventListener('vsc-context-menu-select', event => {
    menu.show = false;
    button.focus();
    const chart = source();
    if (!chart) return;
    const format = (event as CustomEvent<{ value: ChartFormat }>).detail.value;
    const content = contentOf(chart, format, page);
    void page.connection.request('chart/save', { name: chart.name, format, content }).catch(() => {});
  });
  return h('span', { class: 'icons' }, button, h('span', { class: 'menu' }, menu));
}

export function contentOf(chart: ChartSource, format: ChartFormat, { theme }: Pick<Page, 'theme'>): string {
  if (format === 'csv') return csv([chart.head, ...chart.rows]);
  const { width, height } = chart;
  if (format === 'svg') {
    const svg = new SvgContext(width, height, measureBy(canvasOf(1, 1)), colorsBy(canvasOf(1, 1)));
    svg.fillStyle = theme.background;
    svg.fillRect(0, 0, width, height);
    chart.paint(svg as unknown as CanvasRenderingContext2D);
    return svg.text();
  }
  const context = canvasOf(width * PIXELS, height * PIXELS);
  context.scale(PIXELS, PIXELS);
  context.fillStyle = theme.background;
  context.fillRect(0, 0, width, height);
  chart.paint(context);
  return context.canvas.toDataURL('image/png').replace(/^.*?,/, '');
}

function canvasOf(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width));
  canvas.height = Math.max(1, Math.round(height));
  return canvas.getContext('2d', { willReadFrequently: true })!;
}

function measureBy(context: CanvasRenderingContext2D): (text: string, font: string) => number {
  return (text, font) => {
    context.font = font;
    return context.measureText(text).width;
  };
}

/** Mixed colours and those of the theme as rgba(), which every viewer knows. */
function colorsBy(context: CanvasRenderingContext2D): (color: string) => string {
  const known = new Map<string, string>();
  return color => {
    let found = known.get(color);
    if (found === undefined) {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
      found = a === 255 ? `rgb(${r}, ${g}, ${b})` : `rgba(${r}, ${g}, ${b}, ${(a! / 255).toFixed(3)})`;
      known.set(color, found);
    }
    return found;
  };
}

/** RFC 4180. */
export function csv(rows: readonly (readonly (string | number | null)[])[]): string {
  const cell = (value: string | number | null) => {
    const text = value === null ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map(row => `${row.map(cell).join(',')}\r\n`).join('');
}
