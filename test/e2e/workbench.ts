// Drives one VS Code window as a person does: palette, editor, lenses, side panel, pictures.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import axe from 'axe-core';
import type { Browser, BrowserContext, FrameLocator, Locator, Page } from 'playwright-core';
import { launchBrowser } from '../host/browser.ts';
import { useFolders } from '../host/extensions.ts';
import { root } from '../host/paths.ts';
import { type Server, startServer } from '../host/server.ts';
import { stillSettings } from '../host/settings.ts';
import { type SampleWorkspace, sampleWorkspace } from '../host/workspace.ts';
import { isAlive, runFolders, until, workerOf } from './runs.ts';

export interface WorkbenchOptions {
  /** default: a copy of the samples, removed at the end */
  workspace?: string;
  /** true: the window asks for trust, as a fresh VS Code does */
  workspaceTrust?: boolean;
  settings?: Record<string, unknown>;
  /** extensions installed beforehand, e.g. from a VSIX; default: this repository's, in place */
  extensionsFolder?: string;
  size?: { width: number; height: number };
}

/** Errors that VS Code's own page reports when all is well; ours are told by their place or their text. */
function isOurs(text: string, place: string): boolean {
  if (/Content Security Policy|Refused to|unroll-lab|dashboard\.js/i.test(text))
    return !/vsda|favicon/.test(text);
  if (/service.?worker|bad HTTP response code \(404\)|ResizeObserver loop/i.test(text)) return false;
  return place !== '' && !/\/static\/out\/|vsda|favicon|mint-key|update\/check|open-vsx/.test(place);
}

export const openWorkbenches = new Set<Workbench>();

export class Workbench {
  /** errors on the page and in its frames that are not VS Code's own noise */
  readonly problems: string[] = [];
  page!: Page;
  readonly folder: string;
  private readonly server: Server;
  private readonly browser: Browser;
  private readonly context: BrowserContext;
  private readonly samples: SampleWorkspace | null;

  private constructor(
    server: Server,
    browser: Browser,
    context: BrowserContext,
    samples: SampleWorkspace | null,
    folder: string,
  ) {
    this.server = server;
    this.browser = browser;
    this.context = context;
    this.samples = samples;
    this.folder = folder;
  }

  static async start(options: WorkbenchOptions = {}): Promise<Workbench> {
    const samples = options.workspace ? null : sampleWorkspace();
    const server = await startServer({
      // the browser, which draws in software, has the other processor
      settings: { ...stillSettings, 'unroll.threads': 1, ...options.settings },
      workspaceTrust: options.workspaceTrust,
      extensionsFolder: options.extensionsFolder,
      prepare: options.extensionsFolder ? undefined : folder => useFolders(folder, [root]),
    });
    const browser = await launchBrowser();
    const context = await browser.newContext({
      viewport: options.size ?? { width: 1400, height: 1000 },
    });
    const workbench = new Workbench(server, browser, context, samples, options.workspace ?? samples!.folder);
    openWorkbenches.add(workbench);
    await workbench.open();
    return workbench;
  }

  /** Opens a window on the workspace; again after `close`. */
  async open(): Promise<void> {
    this.page = await this.openPage();
  }

  /** A further window on the same workspace. */
  async openPage(): Promise<Page> {
    const page = await this.context.newPage();
    page.setDefaultTimeout(200_000);
    page.on('console', message => {
      const place = message.location().url;
      if (message.type() === 'error' && isOurs(message.text(), place))
        this.problems.push(`console: ${message.text()} (${place})`);
    });
    page.on('pageerror', error => {
      const text = error.stack ?? error.message;
      if (isOurs(text, text)) this.problems.push(`error: ${text}`);
    });
    await page.goto(this.server.url({ workspace: this.folder }));
    await settled(page);
    return page;
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await settled(this.page);
  }

  async close(): Promise<void> {
    await this.page.close();
  }

  async stop(): Promise<void> {
    openWorkbenches.delete(this);
    await this.browser.close();
    await this.server.stop();
    await endWorkers(this.folder);
    this.samples?.remove();
  }

  /**
   * Runs a command from the palette by its whole title, e.g. "Unroll: Train RNN". Once it is `needless` it is not tried
   * again: the palette no longer offers it. So is a click that did its work and failed, since the palette closed under it.
   */
  async runCommand(title: string, needless = () => false): Promise<void> {
    // a palette that was opened before the extensions were registered never lists their commands
    for (let attempt = 1; !needless(); attempt++) {
      const list = await this.openQuickInput('F1', `>${title}`);
      const row = list.locator('.monaco-list-row', { hasText: title }).first();
      try {
        await row.click({ timeout: 1500 });
        return;
      } catch (error) {
        if (attempt === 100) throw error;
        await this.page.keyboard.press('Escape');
      }
    }
  }

  /** The rows of the open quick pick. */
  get quickPick(): Locator {
    return this.page.locator('.quick-input-widget .quick-input-list .monaco-list-row');
  }

  /** Types into the open quick pick. */
  async typeInQuickPick(text: string): Promise<void> {
    await this.page.locator('.quick-input-widget input[type="text"]').first().fill(text);
  }

  /** Finds a row of the open quick pick by its words, which may stand out of sight in a long list. */
  async searchInQuickPick(text: string): Promise<Locator> {
    await this.quickPick.first().waitFor();
    await this.typeInQuickPick(text);
    const row = this.quickPick.filter({ hasText: text }).first();
    await row.waitFor();
    return row;
  }

  private async openQuickInput(key: string, text: string): Promise<Locator> {
    const input = this.page.locator('.quick-input-widget input[type="text"]').first();
    for (let attempt = 1; ; attempt++) {
      await this.page.keyboard.press(key);
      try {
        await input.fill(text, { timeout: 1500 });
        return this.page.locator('.quick-input-widget .quick-input-list');
      } catch (error) {
        // a webview that takes the focus closes it again
        if (attempt === 100) throw error;
        await this.page.keyboard.press('Escape');
      }
    }
  }

  async openFile(name: string): Promise<void> {
    // by its whole path, since a file made just now is not in the index yet
    const list = await this.openQuickInput('Control+P', path.join(this.folder, name));
    await list
      .locator('.monaco-list-row', { hasText: path.basename(name) })
      .first()
      .click();
    await this.page.locator('.tabs-container .tab.active', { hasText: path.basename(name) }).waitFor();
  }

  lens(text: string | RegExp): Locator {
    return this.page.locator('.codelens-decoration a', { hasText: text }).first();
  }

  /** A lens that does nothing when clicked. */
  lensText(text: string | RegExp): Locator {
    return this.page.locator('.codelens-decoration', { hasText: text }).first();
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator('.notification-list-item-message', { hasText: text }).first();
  }

  async clearNotifications(): Promise<void> {
    await this.runCommand('Notifications: Clear All Notifications');
  }

  statusBar(text: string | RegExp): Locator {
    return this.page.locator('.part.statusbar .statusbar-item', { hasText: text }).first();
  }

  /** The page inside the visible webview. */
  get webview(): FrameLocator {
    return this.page
      .locator('iframe.webview.ready:visible')
      .first()
      .contentFrame()
      .locator('#active-frame')
      .contentFrame();
  }

  /** What axe-core finds wrong in the visible webview, one line a fault. */
  async accessibilityFaults(): Promise<string[]> {
    const handle = await this.webview.locator('html').elementHandle();
    const frame = await handle!.ownerFrame();
    await frame!.evaluate(axe.source);
    const result = await frame!.evaluate(() =>
      (window as unknown as { axe: typeof axe }).axe.run(document, {
        preload: false,
        // no selectors for what is right, which is most of its work
        resultTypes: ['violations'],
      }),
    );
    return result.violations.map(
      fault => `${fault.id}: ${fault.help} (${fault.nodes.map(node => node.target.join(' ')).join('; ')})`,
    );
  }

  /** By its label in the list of themes; the dashboard must be open. */
  async setTheme(theme: string): Promise<void> {
    await this.runCommand('Preferences: Color Theme');
    await this.typeInQuickPick(theme);
    const focused = this.page.locator('.quick-input-list .monaco-list-row.focused', { hasText: theme });
    await focused.first().waitFor();
    await this.page.keyboard.press('Enter');
    const kind = theme.replace(/^(Dark|Light) High Contrast$/, 'high-contrast-$1').replace(/ Modern$/, '');
    const name = `vscode-${kind.toLowerCase().replace('-dark', '')}`;
    await this.webview.locator(`body.${name}`).waitFor();
    await this.page.mouse.move(1390, 500);
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(path.join(root, 'test/out'), { recursive: true });
    await this.page.screenshot({ path: path.join(root, 'test/out', `${name}.png`), animations: 'disabled' });
  }
}

/** Training outlives a window; a test's training does not outlive the test. */
async function endWorkers(workspace: string): Promise<void> {
  for (const run of runFolders(workspace)) {
    const pid = workerOf(run);
    if (!pid || !isAlive(pid)) continue;
    process.kill(pid, 'SIGKILL');
    await until(`worker ${pid} has ended`, () => !isAlive(pid));
  }
}

/** The window is there and its extensions can be used. */
async function settled(page: Page): Promise<void> {
  await page.locator('.monaco-workbench .part.statusbar').waitFor();
  await page.locator('.activitybar a.action-label[aria-label^="Unroll"]').waitFor();
}
