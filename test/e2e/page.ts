// The dashboard's page by itself in a real browser, over made-up runs (test/webview/fake-host.ts).
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../host/browser.ts';
import { root } from '../host/paths.ts';
import { buildPage } from '../webview/build.ts';

export interface Fake {
  advance(steps: number): void;
  setTheme(name: string): void;
  requests: { name: string; params: unknown }[];
}

export const THEMES = ['dark', 'light', 'hc-dark', 'hc-light'];

let browser: Browser;
let address: string;
/** The page that `open` opened last. */
export let page: Page;
const problems: string[] = [];

/** Called in a suite: builds the page for it; each test of it fails by what the page reports. */
export function usePage(): void {
  let folder: string;
  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'unroll-page-'));
    address = await buildPage(folder);
    browser = await launchBrowser();
    mkdirSync(path.join(root, 'test/out'), { recursive: true });
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    await page.context().close();
    assert.deepEqual(problems.splice(0), []);
  });
}

/** `choices`: what the last page kept. */
export async function open(
  query: string,
  width = 360,
  { reducedMotion, choices }: { reducedMotion?: 'reduce'; choices?: string } = {},
): Promise<void> {
  const context = await browser.newContext({ viewport: { width, height: 1000 }, reducedMotion });
  page = await context.newPage();
  page.setDefaultTimeout(200_000);
  if (choices) await page.addInitScript(kept => localStorage.setItem('choices', kept), choices);
  page.on('pageerror', error => problems.push(error.stack ?? error.message));
  page.on('console', message => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(`${address}?${query}`);
  await page.locator('#loss canvas, .empty').first().waitFor();
  await settled();
}

/** Two frames later everything that was asked for is drawn. */
export async function settled(): Promise<void> {
  await page.evaluate(
    () => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  );
}

export async function faults(): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run(document, {
      preload: false,
      // no selectors for what is right, which is most of its work
      resultTypes: ['violations'],
    }),
  );
  return violations.map(
    ({ id, help, nodes }) => `${id}: ${help} (${nodes.map(node => node.target).join('; ')})`,
  );
}

/** Of the other column: its errors by row ahead and by origin, and as numbers. */
export async function seesErrors(section: ReturnType<Page['locator']>): Promise<void> {
  await section.getByRole('radio', { name: 'temp_min' }).click();
  assert.match(await section.innerText(), /step [\d,]+, temp_min/);
  const [ahead, origin] = ['Error by row ahead of temp_min', 'Error by origin of temp_min'];
  const labels = await section
    .locator('.errors .chart')
    .evaluateAll(all => all.map(chart => chart.getAttribute('aria-label')!));
  assert.match(labels[0]!, new RegExp(`^${ahead}, root mean square: \\S+ at 1, \\S+ at 7$`));
  assert.match(labels[1]!, new RegExp(`^${origin}, root mean square: \\S+ at 2024-07-12, `));
  await section.getByText('errors as numbers').click();
  assert.equal(await section.getByRole('table', { name: ahead }).locator('tbody tr').count(), 7);
  await section.getByText('errors as numbers').click();
}

/** The picture has colours, and its numbers open behind it. */
export async function seesAlignment(section: ReturnType<Page['locator']>): Promise<void> {
  await settled();
  const colours = await section
    .locator('.alignment canvas')
    .first()
    .evaluate(canvas => {
      const { width, height } = canvas as HTMLCanvasElement;
      const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height);
      const seen = new Set<number>();
      for (let at = 0; at < data.length; at += 4)
        if (data[at + 3] === 255) seen.add((data[at]! << 16) | (data[at + 1]! << 8) | data[at + 2]!);
      return seen.size;
    });
  assert.ok(colours > 20, `${colours} colours`);
  await section.locator('.alignment .numbers summary').first().click();
  await section.locator('summary', { hasText: 'by place' }).click();
  assert.match(await section.innerText(), /answer[\s\S]*<end>[\s\S]*source length[\s\S]*90 %/);
}

export const requests = () => page.evaluate(() => (window as unknown as { fake: Fake }).fake.requests);
export const advance = async (steps: number) => {
  await page.evaluate(count => (window as unknown as { fake: Fake }).fake.advance(count), steps);
  await settled();
};
export const live = () => page.locator('[aria-live=polite]').innerText();
