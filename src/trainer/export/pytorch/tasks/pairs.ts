// What the export of a model that writes a target for a source adds to the code: both as symbols, and greedy writing.
import { lastPosition, stepsOf, traitsOf } from '../../../../experiment/models.ts';
import { UNKNOWN } from '../../../data/text.ts';
import type { FinishedRun } from '../../../inference/finished-run.ts';
import { endsOf, type PairArtifact } from '../../../tasks/pair-batches.ts';

export function pairsCode(opened: FinishedRun): string {
  const { run, sizes } = opened;
  const inParts = run.experiment.model.layers.every(layer => traitsOf(layer).carries);
  return code(inParts ? null : stepsOf(run.experiment, sizes), mostSteps(opened));
}

/** Steps after which a target is cut. */
export function mostSteps({ run: { experiment }, sizes, artifact }: FinishedRun): number {
  const { most } = endsOf(artifact as unknown as PairArtifact);
  return Math.min(most, lastPosition(experiment, sizes) ?? most);
}

/** Texts as units and ids, of any framework. */
export const SYMBOLS = `
TASK = json.loads((HERE / "task.json").read_text(encoding="utf-8"))
SOURCE_IDS = {symbol: index for index, symbol in enumerate(TASK["sourceSymbols"])}
START, END = len(TASK["targetSymbols"]) - 2, len(TASK["targetSymbols"]) - 1


def words(text):
    """Words, numbers, and other signs one by one."""
    units, at = [], 0
    while at < len(text):
        kind, end = unicodedata.category(text[at])[0], at + 1
        while end < len(text) and (
            kind == "L" and (unicodedata.category(text[end])[0] in "LM" or text[end] in "'\\u2019-")
            or kind == "N" and unicodedata.category(text[end])[0] == "N"
        ):
            end += 1
        if not text[at].isspace():
            units.append(text[at:end])
        at = end
    return units


def source_ids(text):
    """What the model has never seen is one symbol."""
    split = {"characters": list, "words": words, "spaced": str.split,
             "bytes": lambda text: [str(byte) for byte in text.encode()]}[TASK["units"]]
    stranger = SOURCE_IDS.get("${UNKNOWN === '\uFFFD' ? '\\ufffd' : UNKNOWN}", 0)
    return [SOURCE_IDS.get(unit, stranger) for unit in split(text)]
`;

export const TEXT_OF = `

def text_of(units):
    if TASK["targetUnits"] == "bytes":
        return bytes(int(unit) for unit in units if unit.isdigit()).decode(errors="replace")
    return ("" if TASK["targetUnits"] == "characters" else " ").join(units)
`;

/** `context`: steps that a decoder without states reads at once. */
const code = (context: number | null, most: number) => `
CONTEXT = ${context ?? 'None'}
MOST_STEPS = ${most}${SYMBOLS}

def encode_source(text):
    """(units, 1) ids"""
    return torch.tensor(source_ids(text), dtype=torch.long).unsqueeze(1)


@torch.no_grad()
def translate(model, text):
    """The most likely symbol at each step until the end, as the run's own model writes it."""
    encoded, states = model.encode(encode_source(text)), None
    x = torch.full((1, 1), START)
    seen, units = x, []
    for _ in range(MOST_STEPS):
        logits, states = model(x, encoded, states) if CONTEXT is None else model(seen[-CONTEXT:], encoded)
        x = logits[-1:].argmax(2)
        if x.item() == END:
            break
        seen = torch.cat([seen, x])
        units.append(TASK["targetSymbols"][x.item()])
    return text_of(units)
${TEXT_OF}`;
