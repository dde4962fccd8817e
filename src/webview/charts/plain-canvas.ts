// A picture that is drawn once and whole: a canvas of this size in the pixels of the screen.

/** `font`: its size in pixels. @returns where to draw, in pixels of the page; null where nothing can be drawn */
export function plainCanvas(
  canvas: HTMLCanvasElement,
  { width, height }: { width: number; height: number },
  { foreground, font }: { foreground: string; font: number },
): CanvasRenderingContext2D | null {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  if (!context) return null;
  context.scale(scale, scale);
  context.font = `${font}px ${getComputedStyle(document.body).fontFamily}`;
  context.fillStyle = foreground;
  return context;
}
