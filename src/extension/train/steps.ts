// A quick pick of several steps, with step count, a back button, and what was chosen before preselected.
import * as vscode from 'vscode';
import type { Offer } from './choices.ts';

export interface Step<T> {
  title: string;
  placeholder: string;
  step: number;
  totalSteps: number;
  offers: readonly Offer<T>[] | ((typed: string) => readonly Offer<T>[]);
  /** the offer that is preselected */
  isPreferred(value: T): boolean;
  busy?: boolean;
}

export const BACK = Symbol('back');

interface Row<T> extends vscode.QuickPickItem {
  value: T;
}

/** @returns the chosen value; BACK; undefined when it was cancelled */
export function askStep<T>(step: Step<T>): Promise<T | typeof BACK | undefined> {
  const pick = vscode.window.createQuickPick<Row<T>>();
  const { offers } = step;
  pick.title = step.title;
  pick.placeholder = step.placeholder;
  pick.step = step.step;
  pick.totalSteps = step.totalSteps;
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.ignoreFocusOut = false;
  pick.buttons = step.step > 1 ? [vscode.QuickInputButtons.Back] : [];
  const show = (typed: string) => {
    const rows: Row<T>[] = typeof offers === 'function' ? [...offers(typed)] : [...offers];
    pick.items = rows;
    const preferred = rows.find(row => step.isPreferred(row.value));
    if (preferred && typed === '') pick.activeItems = [preferred];
  };
  show('');
  return new Promise(resolve => {
    const listeners = [
      pick.onDidChangeValue(typed => {
        if (typeof offers === 'function') show(typed);
      }),
      pick.onDidTriggerButton(() => finish(BACK)),
      pick.onDidAccept(() => {
        const [row] = pick.selectedItems;
        if (row) finish(row.value);
      }),
      pick.onDidHide(() => finish(undefined)),
    ];
    const finish = (answer: T | typeof BACK | undefined) => {
      for (const listener of listeners) listener.dispose();
      pick.dispose();
      resolve(answer);
    };
    pick.show();
  });
}
