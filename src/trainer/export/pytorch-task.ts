// What a task adds to the exported code: text to ids and back, or scaling. The values themselves are in task.json.
import { trainingSeqLen } from '../../experiment/resources.ts';
import { readsInParts } from '../../experiment/schema.ts';
import type { FinishedRun } from '../inference/finished-run.ts';

export function taskCode({ artifact: { task }, run: { experiment } }: FinishedRun): string {
  switch (task) {
    case 'char-lm':
      return charLm(experiment.model.layers.every(readsInParts) ? null : trainingSeqLen(experiment));
    case 'forecast':
      return FORECAST;
    case 'adding':
    case 'temporal-order':
      return '';
    default:
      return task satisfies never;
  }
}

/** `context`: steps that a model without states reads at once. */
const charLm = (context: number | null) => `
CONTEXT = ${context ?? 'None'}
SYMBOLS = json.loads((HERE / "task.json").read_text(encoding="utf-8"))["symbols"]
IDS = {symbol: index for index, symbol in enumerate(SYMBOLS)}


def encode(text):
    """(characters, 1) ids. Characters of the text that the model does not know are left out."""
    return torch.tensor([IDS[symbol] for symbol in text if symbol in IDS], dtype=torch.long).unsqueeze(1)


@torch.no_grad()
def generate(model, prompt="\\n", length=200, temperature=0.8, seed=1):
    """Writes on from the prompt, character by character."""
    random = torch.Generator().manual_seed(seed)
    x, states, made = encode(prompt if IDS.keys() & set(prompt) else SYMBOLS[0]), None, []
    seen = x
    for _ in range(length):
        logits, states = model(x, states) if CONTEXT is None else model(seen[-CONTEXT:])
        chances = torch.softmax(logits[-1, 0] / temperature, dim=0)
        x = torch.multinomial(chances, 1, generator=random).unsqueeze(1)
        seen = torch.cat([seen, x])
        made.append(SYMBOLS[x.item()])
    return "".join(made)
`;

const FORECAST = `
TASK = json.loads((HERE / "task.json").read_text(encoding="utf-8"))


@torch.no_grad()
def predict(model, columns):
    """The next values of the target. columns: by name, the newest values, oldest first; window + difference of them
    of the target, window of every other feature."""
    target, window, over = TASK["target"], TASK["window"], TASK["difference"]
    level = [float(value) for value in columns[target]]
    inputs = []
    for name in TASK["features"]:
        values = [float(value) for value in columns[name]]
        if name == target and over > 0:
            values = [after - before for before, after in zip(values, values[over:])]
        scale = TASK["scaling"][name]
        inputs.append([(value - scale["mean"]) / scale["std"] for value in values[-window:]])
    if TASK["missing"] == "mask":  # nothing is missing here
        inputs += [[0.0] * window for _ in TASK["features"]]
    x = torch.tensor(inputs).T.unsqueeze(1)
    outputs, _ = model(x)
    scale = TASK["scaling"][target]
    predicted = []
    for value in (outputs[-1, 0] * scale["std"] + scale["mean"]).tolist():
        known = level + predicted
        predicted.append(known[-over] + value if over > 0 else value)
    return predicted
`;
