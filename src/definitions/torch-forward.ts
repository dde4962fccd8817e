// Activations that a PyTorch model calls as functions: `F.relu(self.fc(x))` belongs to the layer `self.fc` as `nn.ReLU()`
// behind it would. The rest of `forward` is not followed.
import type { Node } from './code/syntax.ts';
import type { FoundLayer, Given } from './definition.ts';
import { targetOf } from './torch-beginning.ts';

const FUNCTION = '(relu|tanh|sigmoid|gelu|elu|leaky_relu|selu|silu|softplus)';

/** `within`: the node that the model stands in. */
export function withActivation(layer: FoundLayer, call: Node, within: Node): FoundLayer {
  const target = layer.name === 'Linear' ? targetOf(call)?.replaceAll('.', '\\.') : null;
  if (!target) return layer;
  const applied = `(?<![\\w.])${target}\\(`;
  const forms = [
    // F.relu(self.fc(x))
    `\\b${FUNCTION}\\(\\s*${applied}`,
    // self.fc(x).relu()
    `${applied}[^()\\n]*\\)\\.${FUNCTION}\\(`,
    // x = self.fc(x), and on the next line x = F.relu(x)
    `(?<at>\\w+)\\s*=\\s*${applied}[^\\n]*\\)[ \\t]*\\n\\s*\\k<at>\\s*=\\s*[\\w.]*?\\b${FUNCTION}\\(\\s*\\k<at>\\s*[,)]`,
  ];
  for (const form of forms) {
    const value = new RegExp(form).exec(within.text)?.slice(1).at(-1);
    if (!value) continue;
    const given: Given<string> = { value, fallback: null, text: value, range: null };
    return { ...layer, options: new Map([...layer.options, ['activation', given]]) };
  }
  return layer;
}
