// The canvas context that writes SVG: what is drawn stands there, at its place, and nothing of it is markup.
import assert from 'node:assert/strict';
import { SvgContext } from '../../../src/webview/charts/svg-context.ts';

const make = () =>
  new SvgContext(
    100,
    50,
    text => 6 * text.length,
    color => color,
  );

describe('a chart as SVG', () => {
  it('has lines with their look, moved and clipped as they were drawn', () => {
    const svg = make();
    svg.save();
    svg.beginPath();
    svg.rect(0, 0, 50, 50);
    svg.clip();
    svg.translate(10, 5);
    svg.strokeStyle = 'red';
    svg.lineWidth = 2;
    svg.setLineDash([2, 3]);
    svg.beginPath();
    svg.moveTo(0, 0);
    svg.lineTo(1.234, 2);
    svg.stroke();
    svg.restore();
    const text = svg.text();
    assert.match(text, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="100" height="50"/);
    assert.match(text, /<clipPath id="clip0"><path d="M0 0L50 0L50 50L0 50Z"\/><\/clipPath>/);
    assert.match(
      text,
      /<g clip-path="url\(#clip0\)"><path d="M10 5L11\.23 7" fill="none" stroke="red" stroke-width="2" stroke-dasharray="2 3"\/><\/g>/,
    );
    // what was restored holds no more
    svg.fillStyle = 'blue';
    svg.fillRect(1, 2, 3, 4);
    assert.match(svg.text(), /\n<path d="M1 2L4 2L4 6L1 6Z" fill="blue"\/>\n/);
  });

  it('keeps text as text, where a canvas would have drawn it', () => {
    const svg = make();
    svg.font = '600 10px Arial, "Segoe UI"';
    svg.textAlign = 'right';
    svg.textBaseline = 'middle';
    svg.fillText('<b>&"\u0007', 20, 10);
    assert.match(
      svg.text(),
      /<text x="20" y="13\.5" font-family="Arial, &quot;Segoe UI&quot;" font-size="10" font-weight="600" text-anchor="end" fill="#000">&lt;b>&amp;&quot;<\/text>/,
    );
  });

  it('leaves out what has no place', () => {
    const svg = make();
    svg.beginPath();
    svg.moveTo(0, Number.NaN);
    svg.lineTo(1, 1);
    svg.stroke();
    assert.doesNotMatch(svg.text(), /NaN/);
  });
});
