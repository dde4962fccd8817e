// The dashboard in its two places, the side panel and an editor tab: one page, one session, two frames.
import * as vscode from 'vscode';
import type { Dashboard, Services, ShowOptions } from '../services.ts';
import { plain } from '../text.ts';
import { Page, type PageOwner, type Pages, VIEW } from './pages.ts';
import { DashboardSession } from './session.ts';

export function registerDashboard(services: Services, pages: Pages): Dashboard {
  const dashboard = new Dashboards(services);
  services.context.subscriptions.push(dashboard);
  pages.hand(dashboard);
  return dashboard;
}

class Dashboards implements Dashboard, PageOwner, vscode.Disposable {
  private readonly services: Services;
  private view: { frame: vscode.WebviewView; session: DashboardSession } | null = null;
  private tab: { frame: vscode.WebviewPanel; session: DashboardSession } | null = null;
  /** asked for before the side panel was open */
  private wanted: readonly string[] | null = null;
  private wantedSection: string | null = null;

  constructor(services: Services) {
    this.services = services;
  }

  async show(folders: readonly string[] | null, options: ShowOptions = {}): Promise<void> {
    const { preserveFocus = false, section } = options;
    // without a wish, where the dashboard is already seen
    // asked without a run, the tab keeps what the panel shows
    if (options.tab)
      return this.showTab(folders ?? this.view?.session.chosen ?? null, preserveFocus, section);
    if (this.tab?.frame.visible && options.tab === undefined)
      return this.showTab(folders, preserveFocus, section);
    this.wanted = folders;
    this.wantedSection = section ?? null;
    this.view?.session.show(folders, section);
    if (this.view) this.view.frame.show(preserveFocus);
    else await vscode.commands.executeCommand(`${VIEW}.focus`, { preserveFocus });
  }

  resolveView(frame: vscode.WebviewView, state: unknown, page: Page | null): void {
    const kept = this.wanted ? null : state;
    const session = this.session(
      {
        webview: frame.webview,
        get visible() {
          return frame.visible;
        },
        onVisibility: frame.onDidChangeVisibility,
        page: page ?? this.page(frame.webview, 'side', kept),
      },
      this.wanted,
      kept,
    );
    if (this.wantedSection) session.focus(this.wantedSection);
    session.onTitle = title => {
      frame.description = title === null ? undefined : plain(title, 40);
    };
    this.view = { frame, session };
    frame.onDidDispose(() => {
      session.dispose();
      if (this.view?.frame === frame) this.view = null;
    });
  }

  restoreTab(frame: vscode.WebviewPanel, state: unknown, page: Page | null): void {
    this.adopt(frame, null, state, page ?? undefined);
  }

  dispose(): void {
    this.view?.session.dispose();
    this.tab?.session.dispose();
  }

  private showTab(folders: readonly string[] | null, preserveFocus: boolean, section?: string): void {
    if (this.tab) {
      this.tab.session.show(folders, section);
      this.tab.frame.reveal(undefined, preserveFocus);
      return;
    }
    const frame = vscode.window.createWebviewPanel(
      VIEW,
      'Unroll',
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus },
      { enableScripts: true },
    );
    const session = this.adopt(frame, folders, null);
    if (section) session.focus(section);
  }

  private adopt(
    frame: vscode.WebviewPanel,
    folders: readonly string[] | null,
    kept: unknown,
    page = this.page(frame.webview, 'tab', kept),
  ): DashboardSession {
    const icon = (theme: string) =>
      vscode.Uri.joinPath(this.services.context.extensionUri, 'media', `unroll-${theme}.svg`);
    frame.iconPath = { light: icon('light'), dark: icon('dark') };
    const session = this.session(
      {
        webview: frame.webview,
        get visible() {
          return frame.visible;
        },
        onVisibility: frame.onDidChangeViewState,
        page,
      },
      folders,
      kept,
    );
    session.onTitle = title => {
      frame.title = title === null ? 'Unroll' : `Unroll: ${plain(title, 40)}`;
    };
    this.tab = { frame, session };
    frame.onDidDispose(() => {
      session.dispose();
      if (this.tab?.frame === frame) this.tab = null;
    });
    return session;
  }

  private page(webview: vscode.Webview, place: Page['place'], kept: unknown): Page {
    return new Page(webview, this.services.context.extensionUri, place, kept);
  }

  private session(
    frame: ConstructorParameters<typeof DashboardSession>[0],
    folders: readonly string[] | null,
    kept: unknown,
  ) {
    return new DashboardSession(frame, this.services, folders, kept, async shown =>
      this.showTab(shown, false),
    );
  }
}
