// How numbers read on the page.
import type { JsonNumber } from '../protocol/messages.ts';

export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** A loss in about three digits. */
export function loss(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 10_000)) return value.toExponential(1);
  return size >= 100 ? value.toFixed(0) : size >= 0.1 ? value.toFixed(2) : value.toPrecision(2);
}

export function lossExact(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return loss(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 0.01 || size >= 10_000) ? value.toExponential(2) : value.toFixed(3);
}

/** 76,243 → "76.2k". */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 999_950_000) return `${trim(value / 1e9)}G`;
  if (size >= 999_950) return `${trim(value / 1e6)}M`;
  if (size >= 1000) return `${trim(value / 1000)}k`;
  return trim(value);
}

function trim(value: number): string {
  return String(Number(value.toFixed(Math.abs(value) >= 100 ? 0 : 1)));
}

/** 65 → "1:05". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${pad(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`;
}

export function megabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

/** A ratio: percent where that is readable, a power of ten below. */
export function ratio(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === 0) return '0';
  if (value < 0.001)
    return value
      .toExponential(1)
      .replace('e-', '·10⁻')
      .replace(/⁻(\d+)$/, (_, digits: string) => `⁻${superscript(digits)}`);
  const percent = 100 * value;
  return `${percent >= 100 ? count(percent) : percent.toPrecision(2)} %`;
}

const DIGITS = '⁰¹²³⁴⁵⁶⁷⁸⁹';
export function superscript(digits: string): string {
  return [...digits].map(digit => DIGITS[Number(digit)] ?? digit).join('');
}

export function powerOfTen(exponent: number): string {
  if (exponent === 0) return '1';
  return `10${exponent < 0 ? '⁻' : ''}${superscript(String(Math.abs(exponent)))}`;
}

export function fromJson(value: JsonNumber | null | undefined): number {
  return value === null || value === undefined ? Number.NaN : Number(value);
}
