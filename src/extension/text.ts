// How runs read in lenses, trees and messages. Text that comes from a run folder is untrusted and made plain here.
import { count, formatBytes, plural } from '../experiment/words.ts';
import type { JsonNumber } from '../runs/format.ts';
import type { LifeState } from '../runs/life.ts';

export { count, formatBytes, plural };

/** One line of plain text: no control or direction characters, no codicon markup, at most `length` characters. */
export function plain(text: string, length = 80): string {
  const line = text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\$\(/g, '$ (')
    .replace(/ {2,}/g, ' ')
    .trim();
  const characters = [...line];
  return characters.length > length ? `${characters.slice(0, length - 1).join('')}…` : line;
}

/** A loss in about three digits: 1.38, 0.00123, 1.2e+4, NaN. */
export function loss(value: JsonNumber | undefined | null): string {
  if (value === undefined || value === null) return '–';
  if (typeof value !== 'number') return value;
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 10_000)) return value.toExponential(1);
  return size >= 100 ? value.toFixed(0) : size >= 0.1 ? value.toFixed(2) : value.toPrecision(3);
}

/** 65 → "1:05", 3725 → "1:02:05". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${pad(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`;
}

/** How long ago, in one unit. */
export function ago(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ago`;
  const days = Math.floor(hours / 24);
  return days === 1 ? 'yesterday' : `${days} days ago`;
}

const STATE_WORDS: Readonly<Record<LifeState, string>> = {
  queued: 'queued',
  starting: 'starting',
  training: 'training',
  paused: 'paused',
  finished: 'finished',
  'early-stopped': 'stopped early',
  stopped: 'stopped',
  diverged: 'diverged',
  failed: 'failed',
  crashed: 'crashed',
  silent: 'silent',
};

export function stateWord(state: LifeState): string {
  return STATE_WORDS[state];
}

/** Relative difference as a signed percentage: "−25 %". */
export function percentage(value: number, reference: number): string {
  const percent = Math.round((value / reference - 1) * 100);
  const sign = percent < 0 ? '−' : percent > 0 ? '+' : '±';
  return `${sign}${count(Math.abs(percent))} %`;
}
