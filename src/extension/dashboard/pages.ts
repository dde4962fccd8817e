// The frames of the dashboard as VS Code opens them. After a reload each shows its last picture before the rest of the
// extension is loaded; this file therefore imports nothing heavy.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { pageHtml, pictureFrom } from './html.ts';

export const VIEW = 'unroll.dashboard';

export type Place = 'side' | 'tab';

/** The dashboard proper, once it is loaded. */
export interface PageOwner {
  /** @param page null: the owner makes it */
  resolveView(frame: vscode.WebviewView, state: unknown, page: Page | null): void;
  restoreTab(frame: vscode.WebviewPanel, state: unknown, page: Page | null): void;
}

/** Registered at activation. What is opened before the owner is there gets its picture, and the owner later. */
export class Pages implements vscode.WebviewViewProvider, vscode.WebviewPanelSerializer {
  private readonly extensionUri: vscode.Uri;
  private owner: PageOwner | null = null;
  private readonly waiting = new Set<(owner: PageOwner) => void>();

  constructor({ extensionUri, subscriptions }: vscode.ExtensionContext) {
    this.extensionUri = extensionUri;
    subscriptions.push(
      vscode.window.registerWebviewViewProvider(VIEW, this),
      vscode.window.registerWebviewPanelSerializer(VIEW, this),
    );
  }

  resolveWebviewView(frame: vscode.WebviewView, { state }: vscode.WebviewViewResolveContext): void {
    const page = this.owner ? null : new Page(frame.webview, this.extensionUri, 'side', state);
    this.whenOwned(frame, owner => owner.resolveView(frame, state, page));
  }

  async deserializeWebviewPanel(frame: vscode.WebviewPanel, state: unknown): Promise<void> {
    const page = this.owner ? null : new Page(frame.webview, this.extensionUri, 'tab', state);
    this.whenOwned(frame, owner => owner.restoreTab(frame, state, page));
  }

  hand(owner: PageOwner): void {
    this.owner = owner;
    for (const give of this.waiting) give(owner);
    this.waiting.clear();
  }

  private whenOwned(frame: vscode.WebviewView | vscode.WebviewPanel, give: (owner: PageOwner) => void): void {
    if (this.owner) {
      give(this.owner);
      return;
    }
    this.waiting.add(give);
    frame.onDidDispose(() => this.waiting.delete(give));
  }
}

/** One frame's HTML, and the messages of its script, kept until somebody listens. */
export class Page {
  readonly place: Place;
  private readonly webview: vscode.Webview;
  private readonly root: vscode.Uri;
  private readonly subscription: vscode.Disposable;
  private hasPicture: boolean;
  private early: unknown[] = [];
  private take: ((message: unknown) => void) | null = null;

  /** @param kept what the page stored of itself before a reload */
  constructor(webview: vscode.Webview, extensionUri: vscode.Uri, place: Place, kept: unknown) {
    this.webview = webview;
    this.place = place;
    this.root = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
    webview.options = { enableScripts: true, localResourceRoots: [this.root], enableCommandUris: false };
    this.subscription = webview.onDidReceiveMessage(message => {
      if (this.take) this.take(message);
      else this.early.push(message);
    });
    const picture = pictureFrom(kept);
    this.hasPicture = picture !== null;
    webview.html = this.html(picture);
  }

  listen(take: (message: unknown) => void): void {
    const { early } = this;
    this.early = [];
    this.take = take;
    // the listener may still be under construction
    queueMicrotask(() => early.forEach(take));
  }

  /** A hidden page begins anew when it is shown, and then without the picture from before a reload. */
  forgetPicture(): void {
    if (this.hasPicture) this.webview.html = this.html(null);
    this.hasPicture = false;
  }

  dispose(): void {
    this.subscription.dispose();
  }

  private html(picture: ReturnType<typeof pictureFrom>): string {
    const { webview, root, place } = this;
    const uriOf = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(root, name)).toString();
    return pageHtml({
      cspSource: webview.cspSource,
      script: uriOf('dashboard.js'),
      styles: readFileSync(join(root.fsPath, 'dashboard.css'), 'utf8'),
      codicons: uriOf('codicon.css'),
      place,
      picture,
    });
  }
}
