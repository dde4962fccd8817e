// Asks a trained run one question by a process of its own: it reads the run and what it is given, writes one answer to
// its standard output, and ends.
import { spawn } from 'node:child_process';
import * as vscode from 'vscode';
import type { Tried, TryGiven } from '../../protocol/messages.ts';
import { plain } from '../text.ts';
import { workerEnvironment } from '../worker-environment.ts';
import type { ListedRun } from './store.ts';

const MOST_ANSWER = 50e6;

export interface Trial {
  /** rejected with one sentence */
  answer: Promise<Tried>;
  /** Ends the process, if it still runs. */
  end(): void;
}

/** Undefined becomes null: no file was chosen. */
export async function askSound({ workspace }: ListedRun): Promise<string | null> {
  const [file] =
    (await vscode.window.showOpenDialog({
      defaultUri: vscode.Uri.file(workspace),
      filters: { [vscode.l10n.t('Sound')]: ['wav'] },
      openLabel: vscode.l10n.t('Try It'),
    })) ?? [];
  return file?.fsPath ?? null;
}

export function startTrial(
  command: string,
  { folder, workspace }: ListedRun,
  given: Omit<TryGiven, 'sound'> & { sound?: string },
): Trial {
  const child = spawn(process.execPath, [command, 'try', folder], {
    cwd: workspace,
    env: workerEnvironment(process.env),
    windowsHide: true,
  });
  const answer = new Promise<Tried>((resolve, reject) => {
    let [said, told] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.length > MOST_ANSWER) child.kill();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      told = (told + text).slice(-10_000);
    });
    child.once('error', cause => reject(new Error(cause.message)));
    child.once('close', code => {
      if (code === 0) resolve(JSON.parse(said) as Tried);
      else {
        const sentence = plain(told.replace(/\s+/g, ' ').trim(), 600);
        reject(new Error(sentence || vscode.l10n.t('The run was asked anew, or its process was ended.')));
      }
    });
    // a process that ended before it read is told by its exit
    child.stdin.on('error', () => {});
    child.stdin.end(JSON.stringify(given));
  });
  return { answer, end: () => void child.kill() };
}
