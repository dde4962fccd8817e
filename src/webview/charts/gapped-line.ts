// A line through points of which some have no place: it ends before them and begins anew after.

export interface Stroke {
  color: string;
  width: number;
  dash: readonly number[];
}

/** `pointAt`: pixels, null where there is no value. `begins`: whether the line is not led on to this point. */
export function gappedLine(
  context: CanvasRenderingContext2D,
  length: number,
  pointAt: (index: number) => readonly [x: number, y: number] | null,
  { color, width, dash }: Stroke,
  begins: (index: number) => boolean = () => false,
): void {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.setLineDash([...dash]);
  context.beginPath();
  let isDown = false;
  for (let index = 0; index < length; index++) {
    const point = pointAt(index);
    if (point && isDown && !begins(index)) context.lineTo(point[0], point[1]);
    else if (point) context.moveTo(point[0], point[1]);
    isDown = point !== null;
  }
  context.stroke();
  context.setLineDash([]);
}
