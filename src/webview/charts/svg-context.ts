// A canvas context that writes SVG: what our charts and chart.js draw with, and no more.

interface State {
  strokeStyle: string;
  fillStyle: string;
  lineWidth: number;
  lineJoin: string;
  lineCap: string;
  dash: number[];
  font: string;
  textAlign: string;
  textBaseline: string;
  globalAlpha: number;
  matrix: [number, number, number, number, number, number];
  clip: string | null;
}

const FIRST: State = {
  strokeStyle: '#000',
  fillStyle: '#000',
  lineWidth: 1,
  lineJoin: 'miter',
  lineCap: 'butt',
  dash: [],
  font: '11px sans-serif',
  textAlign: 'left',
  textBaseline: 'alphabetic',
  globalAlpha: 1,
  matrix: [1, 0, 0, 1, 0, 0],
  clip: null,
};
const ANCHORS: Readonly<Record<string, string>> = { center: 'middle', right: 'end', end: 'end' };
/** of the font size, below the given line */
const BASELINES: Readonly<Record<string, number>> = { middle: 0.35, top: 0.8, hanging: 0.8, bottom: -0.2 };

/** A shape whose description is kept, so that it can be written too. */
export class Shape {
  readonly description: string;
  readonly path: Path2D | null;
  constructor(description: string) {
    this.description = description;
    this.path = typeof Path2D === 'undefined' ? null : new Path2D(description);
  }
}

export function fillShape(context: CanvasRenderingContext2D, shape: Shape): void {
  const svg = context as unknown as SvgContext;
  if (svg.isSvg) svg.paintShape(shape.description, 'fill');
  else context.fill(shape.path!);
}

export function strokeShape(context: CanvasRenderingContext2D, shape: Shape): void {
  const svg = context as unknown as SvgContext;
  if (svg.isSvg) svg.paintShape(shape.description, 'stroke');
  else context.stroke(shape.path!);
}

/** Of a text in this font; a canvas has it, a test may give its own. */
export type Measure = (text: string, font: string) => number;

export class SvgContext {
  readonly isSvg = true;
  readonly canvas: { width: number; height: number; getContext: () => SvgContext; style: object };
  private readonly measure: Measure;
  private readonly colorOf: (color: string) => string;
  private readonly parts: string[] = [];
  private readonly definitions: string[] = [];
  private state: State = { ...FIRST };
  private readonly stack: State[] = [];
  private path = '';

  /** `colorOf`: a colour as SVG has it, of one that only a browser knows */
  constructor(width: number, height: number, measure: Measure, colorOf: (color: string) => string) {
    this.canvas = { width, height, getContext: () => this, style: {} };
    this.measure = measure;
    this.colorOf = colorOf;
  }

  text(): string {
    const { width, height } = this.canvas;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
      ...(this.definitions.length > 0 ? [`<defs>${this.definitions.join('')}</defs>`] : []),
      ...this.parts,
      '</svg>\n',
    ].join('\n');
  }

  get strokeStyle(): string {
    return this.state.strokeStyle;
  }
  set strokeStyle(value: string) {
    this.state.strokeStyle = String(value);
  }
  get fillStyle(): string {
    return this.state.fillStyle;
  }
  set fillStyle(value: string) {
    this.state.fillStyle = String(value);
  }
  get lineWidth(): number {
    return this.state.lineWidth;
  }
  set lineWidth(value: number) {
    this.state.lineWidth = value;
  }
  get lineJoin(): string {
    return this.state.lineJoin;
  }
  set lineJoin(value: string) {
    this.state.lineJoin = value;
  }
  get lineCap(): string {
    return this.state.lineCap;
  }
  set lineCap(value: string) {
    this.state.lineCap = value;
  }
  get font(): string {
    return this.state.font;
  }
  set font(value: string) {
    this.state.font = value;
  }
  get textAlign(): string {
    return this.state.textAlign;
  }
  set textAlign(value: string) {
    this.state.textAlign = value;
  }
  get textBaseline(): string {
    return this.state.textBaseline;
  }
  set textBaseline(value: string) {
    this.state.textBaseline = value;
  }
  get globalAlpha(): number {
    return this.state.globalAlpha;
  }
  set globalAlpha(value: number) {
    this.state.globalAlpha = value;
  }

  save(): void {
    this.stack.push({ ...this.state });
  }
  restore(): void {
    this.state = this.stack.pop() ?? this.state;
  }
  setLineDash(dash: number[]): void {
    this.state.dash = [...dash];
  }
  getLineDash(): number[] {
    return this.state.dash;
  }

  setTransform(a: number, b: number, c: number, d: number, e: number, f: number): void {
    this.state.matrix = [a, b, c, d, e, f];
  }
  resetTransform(): void {
    this.setTransform(1, 0, 0, 1, 0, 0);
  }
  translate(x: number, y: number): void {
    const [a, b, c, d, e, f] = this.state.matrix;
    this.state.matrix = [a, b, c, d, e + a * x + c * y, f + b * x + d * y];
  }
  rotate(angle: number): void {
    const [a, b, c, d, e, f] = this.state.matrix;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    this.state.matrix = [a * cos + c * sin, b * cos + d * sin, c * cos - a * sin, d * cos - b * sin, e, f];
  }
  scale(x: number, y: number): void {
    const [a, b, c, d, e, f] = this.state.matrix;
    this.state.matrix = [a * x, b * x, c * y, d * y, e, f];
  }

  beginPath(): void {
    this.path = '';
  }
  closePath(): void {
    if (this.path !== '') this.path += 'Z';
  }
  moveTo(x: number, y: number): void {
    this.path += `M${this.at(x, y)}`;
  }
  lineTo(x: number, y: number): void {
    this.path += `${this.path === '' ? 'M' : 'L'}${this.at(x, y)}`;
  }
  bezierCurveTo(x1: number, y1: number, x2: number, y2: number, x: number, y: number): void {
    this.path += `C${this.at(x1, y1)} ${this.at(x2, y2)} ${this.at(x, y)}`;
  }
  rect(x: number, y: number, width: number, height: number): void {
    this.path += `M${this.at(x, y)}L${this.at(x + width, y)}L${this.at(x + width, y + height)}L${this.at(x, y + height)}Z`;
  }

  /** chart.js empties its canvas before it draws. */
  clearRect(): void {}

  clip(): void {
    const id = `clip${this.definitions.length}`;
    const inner = this.state.clip === null ? '' : ` clip-path="url(#${this.state.clip})"`;
    this.definitions.push(`<clipPath id="${id}"><path d="${this.path}"${inner}/></clipPath>`);
    this.state.clip = id;
  }

  fill(): void {
    this.paint(this.path, 'fill');
  }
  stroke(): void {
    this.paint(this.path, 'stroke');
  }
  fillRect(x: number, y: number, width: number, height: number): void {
    this.rectangle(x, y, width, height, 'fill');
  }
  strokeRect(x: number, y: number, width: number, height: number): void {
    this.rectangle(x, y, width, height, 'stroke');
  }

  /** `description`: of an SVG path, in the coordinates of now */
  paintShape(description: string, how: 'fill' | 'stroke'): void {
    const { matrix } = this.state;
    this.write(
      `<path d="${description}" transform="matrix(${matrix.map(short).join(' ')})"${this.look(how)}/>`,
    );
  }

  fillText(text: string, x: number, y: number): void {
    this.words(text, x, y, 'fill');
  }
  strokeText(text: string, x: number, y: number): void {
    this.words(text, x, y, 'stroke');
  }
  measureText(text: string): { width: number } {
    return { width: this.measure(text, this.state.font) };
  }

  drawImage(image: HTMLCanvasElement, x: number, y: number, width: number, height: number): void {
    this.write(
      `<image href="${image.toDataURL('image/png')}" x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" preserveAspectRatio="none" style="image-rendering:pixelated"/>`,
    );
  }

  private rectangle(x: number, y: number, width: number, height: number, how: 'fill' | 'stroke'): void {
    const before = this.path;
    this.path = '';
    this.rect(x, y, width, height);
    this.paint(this.path, how);
    this.path = before;
  }

  private paint(path: string, how: 'fill' | 'stroke'): void {
    if (path !== '' && !/NaN|Infinity/.test(path)) this.write(`<path d="${path}"${this.look(how)}/>`);
  }

  private look(how: 'fill' | 'stroke'): string {
    const { state } = this;
    const alpha = state.globalAlpha < 1 ? ` opacity="${state.globalAlpha}"` : '';
    if (how === 'fill') return ` fill="${this.colorOf(state.fillStyle)}"${alpha}`;
    const dash = state.dash.length > 0 ? ` stroke-dasharray="${state.dash.map(short).join(' ')}"` : '';
    const join = state.lineJoin === 'miter' ? '' : ` stroke-linejoin="${state.lineJoin}"`;
    return ` fill="none" stroke="${this.colorOf(state.strokeStyle)}" stroke-width="${short(state.lineWidth)}"${dash}${join}${alpha}`;
  }

  private words(text: string, x: number, y: number, how: 'fill' | 'stroke'): void {
    const { font, textAlign, textBaseline, matrix } = this.state;
    const size = Number(/([\d.]+)px/.exec(font)?.[1] ?? 11);
    const [weight] = /\b(?:bold|[5-9]00)\b/.exec(font) ?? [];
    const family = font.replace(/^.*?px\s*(?:\/\s*\S+\s*)?/, '');
    const down = (BASELINES[textBaseline] ?? 0) * size;
    const turned = matrix[1] !== 0 || matrix[2] !== 0;
    const [px, py] = turned ? [x, y] : this.point(x, y);
    const transform = turned ? ` transform="matrix(${matrix.map(short).join(' ')})"` : '';
    this.write(
      `<text x="${short(px)}" y="${short(py + down)}" font-family="${escaped(family)}" font-size="${size}"${weight ? ` font-weight="${weight}"` : ''}${ANCHORS[textAlign] ? ` text-anchor="${ANCHORS[textAlign]}"` : ''}${transform}${this.look(how)}>${escaped(text)}</text>`,
    );
  }

  private point(x: number, y: number): [number, number] {
    const [a, b, c, d, e, f] = this.state.matrix;
    return [a * x + c * y + e, b * x + d * y + f];
  }

  private at(x: number, y: number): string {
    return this.point(x, y).map(short).join(' ');
  }

  private write(part: string): void {
    const { clip } = this.state;
    this.parts.push(clip === null ? part : `<g clip-path="url(#${clip})">${part}</g>`);
  }
}

function short(value: number): string {
  return String(Number(value.toFixed(2)));
}

function escaped(text: string): string {
  return (
    text
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/"/g, '&quot;')
      // no XML holds these
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
      .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, '')
  );
}
