// How the value of a metric is said. Apart from metrics.ts, since lists say it before the kinds of task are loaded.
import type { Metric } from './format.ts';

/** "97.5 %" of a share, "1.83 bits/char", "6.12". */
export function metricText({ unit }: Pick<Metric, 'unit'>, value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (unit === '%') return `${Number((100 * value).toPrecision(3))} %`;
  const size = Math.abs(value);
  const number =
    size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : Number(value.toPrecision(3));
  return unit === '' ? String(number) : `${number} ${unit}`;
}

/** "accuracy" of "Accuracy"; abbreviations stay as they are. */
export function nameInText({ label }: Pick<Metric, 'label'>): string {
  return /^[A-Z][a-z]/.test(label) ? label[0]!.toLowerCase() + label.slice(1) : label;
}
