// Of a model with an encoder: the states that the decoder begins in, which are the encoder's last ones, level by level.
import { lastStateOf } from '../../../experiment/models.ts';
import { InputError } from '../../training/prepare.ts';
import type { Exported } from './kind.ts';

/** What of an encoder-decoder has no form in the code that is written, as an error. */
export function checkEncoder(layers: readonly Exported[]): void {
  const handed = layers.some(begins);
  for (const placed of layers) {
    const { kind, layer, torch, name } = placed;
    const hands = handed && handsOn(placed) && !isDecoder(placed);
    const fault = kind.readsEncoder?.(layer)
      ? 'looks at the encoder inside of its blocks'
      : (hands || begins(placed)) && !torch.lastStates?.(layer)
        ? "has fields that PyTorch's own modules lack, and hands its state from encoder to decoder"
        : null;
    if (fault)
      throw new InputError(
        `${name} ${fault}, which has no form in the PyTorch code; export the weights with --format safetensors.`,
      );
  }
}

export function isDecoder({ path }: Exported): boolean {
  return path[1] === 'layers';
}

/** Whether it hands the last states of its levels to the decoder. */
export function handsOn({ kind }: Exported): boolean {
  return 'initialState' in kind.schema.shape;
}

/** Whether a level of it begins in a state of the encoder. */
export function begins({ at }: Exported): boolean {
  return at.begins?.some(width => width !== null) ?? false;
}

/** Modules of the bridges, under the names of their weights. */
export function bridgeLines(layers: readonly Exported[]): string[] {
  return layers.flatMap(placed => {
    const { layer, at, torch } = placed;
    const parts = [...(torch.lastStates?.(layer) ?? '')];
    if (!('bridge' in layer && layer.bridge)) return [];
    return (at.begins ?? []).flatMap((width, level) =>
      width === null
        ? []
        : parts.map(
            part =>
              `        self.layers[${at.index}].bridge_${part}_l${level} = nn.Linear(${width}, ${lastStateOf(placed)})`,
          ),
    );
  });
}

export const ENCODER = `
def last_states(states, directions):
    """(h, c) of each level after the last step, directions side by side; c is None where the layer has none."""
    parts = [part.unflatten(0, (-1, directions)) for part in (states if isinstance(states, tuple) else (states,))]
    levels = [[torch.cat(list(level), 1) for level in part] for part in parts]
    return list(zip(*levels)) if len(levels) == 2 else [(h, None) for h in levels[0]]


def begin(layer, parts, given, x):
    """The state that a layer begins in: the encoder's, through the bridge where there is one; zeros where none is left."""
    made = []
    for index, part in enumerate(parts):
        levels = []
        for level in range(layer.num_layers):
            state = given[level][index] if level < len(given) else None
            bridge = getattr(layer, f"bridge_{part}_l{level}", None)
            if state is None:
                state = x.new_zeros(x.shape[1], layer.hidden_size)
            elif bridge is not None:
                state = torch.tanh(bridge(state))
            levels.append(state)
        made.append(torch.stack(levels))
    return tuple(made) if len(made) == 2 else made[0]

`;
