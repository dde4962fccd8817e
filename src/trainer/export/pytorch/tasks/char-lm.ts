// What a character model's export adds to the code: text to ids and back, and writing on from a prompt.
import { trainingSeqLen, traitsOf } from '../../../../experiment/models.ts';
import type { FinishedRun } from '../../../inference/finished-run.ts';

export function charLmCode({ run: { experiment } }: FinishedRun): string {
  const inParts = experiment.model.layers.every(layer => traitsOf(layer).carries);
  return code(inParts ? null : trainingSeqLen(experiment));
}

/** `context`: steps that a model without states reads at once. */
const code = (context: number | null) => `
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
