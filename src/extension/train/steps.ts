// A quick pick of several steps, with step count, a back button, and what was chosen before preselected.
import * as vscode from 'vscode';

export interface Offer<T> {
  label: string;
  description?: string | undefined;
  detail?: string | undefined;
  /** why it cannot be chosen */
  reason?: string;
  /** whatever is typed */
  isAlwaysShown?: boolean;
  value: T;
}

export interface Step<T> {
  title: string;
  placeholder: string;
  step: number;
  totalSteps: number;
  offers: readonly Offer<T>[] | ((typed: string) => readonly Offer<T>[]);
  /** the offer that is preselected */
  isPreferred(value: T): boolean;
}

export const BACK = Symbol('back');

interface Row<T> extends vscode.QuickPickItem {
  offer?: Offer<T>;
}

/** @returns the chosen value; BACK; undefined when it was cancelled. What cannot be chosen stands below, and stays. */
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
    const rows = rowsOf(typeof offers === 'function' ? offers(typed) : offers);
    pick.items = rows;
    const preferred = rows.find(({ offer }) => offer && !offer.reason && step.isPreferred(offer.value));
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
        const offer = pick.selectedItems[0]?.offer;
        if (offer && !offer.reason) finish(offer.value);
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

function rowsOf<T>(offers: readonly Offer<T>[]): Row<T>[] {
  const row = (offer: Offer<T>): Row<T> => ({
    label: offer.reason ? `$(circle-slash) ${offer.label.replace(/^\$\([\w-]+\) /, '')}` : offer.label,
    ...(offer.description ? { description: offer.description } : {}),
    ...(offer.reason || offer.detail ? { detail: offer.reason ?? offer.detail } : {}),
    ...(offer.isAlwaysShown ? { alwaysShow: true } : {}),
    offer,
  });
  const [fit, unfit] = [offers.filter(({ reason }) => !reason), offers.filter(({ reason }) => reason)];
  // a sentence about what is typed stands first
  const isSaid = unfit.length > 0 && unfit.every(({ isAlwaysShown }) => isAlwaysShown);
  if (isSaid) return [...unfit, ...fit].map(row);
  if (unfit.length === 0) return fit.map(row);
  const separator = { label: vscode.l10n.t('cannot be used'), kind: vscode.QuickPickItemKind.Separator };
  return [...fit.map(row), separator, ...unfit.map(row)];
}
