// What the text of a model definition alone tells to be wrong, and how it could be mended.
import type { TextRange } from '../../experiment/place.ts';
import type { Steps } from '../steps.ts';
import type { LintSource } from './source.ts';

/** `warning` only for what is surely so; a hint may be meant as it stands. */
export type Severity = 'warning' | 'hint' | 'information';

export interface TextEdit {
  range: TextRange;
  text: string;
}

export interface TextFix {
  title: string;
  /** all made at once; they do not overlap */
  edits: TextEdit[];
}

export interface TextFinding {
  id: string;
  severity: Severity;
  /** one sentence with the reason, naming the values it is about */
  message: string;
  range: TextRange;
  fixes: TextFix[];
  /** the section that explains it, such as `docs/lint.md#tfjs-reset-after` */
  page: string;
}

type Findings = Omit<TextFinding, 'page'>[];
export type Rule = (source: LintSource) => Findings;
/** One that looks at much of the text, and gives way between. */
export type SteppedRule = (source: LintSource) => Steps<Findings>;

/** The text after a fix. */
export function applyTextFix(text: string, { edits }: TextFix): string {
  return [...edits]
    .sort((a, b) => b.range.offset - a.range.offset)
    .reduce(
      (changed, { range, text: insert }) =>
        changed.slice(0, range.offset) + insert + changed.slice(range.offset + range.length),
      text,
    );
}
