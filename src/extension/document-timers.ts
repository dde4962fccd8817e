// One timer for each document: what is done a moment after its last edit.
import type * as vscode from 'vscode';

export class DocumentTimers {
  private readonly timers = new Map<string, NodeJS.Timeout>();

  /** Takes the place of what the document was waiting for. */
  set(uri: vscode.Uri, milliseconds: number, act: () => void): void {
    this.clear(uri);
    const key = uri.toString();
    const timer = setTimeout(() => {
      this.timers.delete(key);
      act();
    }, milliseconds);
    this.timers.set(key, timer);
  }

  clear(uri: vscode.Uri): void {
    const key = uri.toString();
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
  }

  dispose(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }
}
