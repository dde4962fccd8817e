// PyTorch: options of recurrent layers that do not exist, or do nothing.
import { addArguments, removeArgument, replace, setArgument } from './edits.ts';
import type { Rule, TextFix } from './finding.ts';
import { type LayerCall, type LintSource, nameOf, rangeOf } from './source.ts';

/** Keras's option, of which PyTorch's layers know nothing: the call throws. */
export const recurrentDropoutUnknown: Rule = source =>
  source.of('torch').flatMap(found => {
    const { layer, call } = found;
    const given = call.named.get('recurrent_dropout');
    if (!given) return [];
    const name = nameOf(layer);
    return {
      id: 'torch-recurrent-dropout',
      severity: 'warning',
      message: `PyTorch's ${name} has no recurrent_dropout: \`${given.node.text}\` raises a TypeError, since that option is Keras's.`,
      range: rangeOf(given.node),
      fixes: [
        { title: `Remove ${given.node.text}`, edits: [removeArgument(source, given.node)] },
        ...asDropout(source, found, given.node.text, given.value.node.text),
      ],
    };
  });

/** Between stacked layers PyTorch can drop as well. */
function asDropout(
  source: LintSource,
  { layer, call }: LayerCall,
  written: string,
  value: string,
): TextFix[] {
  const stacked = layer.recurrent?.layers.value ?? 1;
  if (stacked < 2 || layer.recurrent?.isCell || layer.options.get('dropout')?.text) return [];
  const given = call.named.get('recurrent_dropout')!;
  const text = written.replace('recurrent_dropout', 'dropout');
  return [
    {
      title: `Drop between its ${stacked} layers: dropout=${value}`,
      edits: [replace(source, given.node, text)],
    },
  ];
}

/** Dropout stands between stacked layers, so one layer has no place for it. */
export const dropoutOfOneLayer: Rule = source =>
  source.of('torch').flatMap(({ layer, call }) => {
    const { recurrent, options, isWhole } = layer;
    const dropout = options.get('dropout');
    if (!recurrent || recurrent.isCell || !isWhole || recurrent.layers.value !== 1) return [];
    if (!dropout?.range || dropout.value === 0 || typeof dropout.value === 'string') return [];
    const named = call.named.get('dropout');
    const place =
      named?.node ?? call.positional.find(({ node }) => node.startIndex === dropout.range!.offset)?.node;
    const value = named?.value ?? call.positional.find(each => each.node === place);
    if (!place || !value) return [];
    // `dropout=p if layers > 1 else 0` has thought of it; None and True are other faults
    if (value.kind === 'choice' || (value.kind === 'constant' && typeof value.value !== 'number')) return [];
    return {
      id: 'torch-dropout-one-layer',
      severity: 'warning',
      message: `\`dropout=${value.node.text}\` has no effect: PyTorch drops between stacked layers only, and this ${nameOf(layer)} has num_layers=1.`,
      range: rangeOf(place),
      fixes: [
        named
          ? { title: `Remove ${place.text}`, edits: [removeArgument(source, place)] }
          : { title: 'Set dropout to 0', edits: [replace(source, place, '0')] },
        ...(named ? stack(source, { layer, call }) : []),
      ],
    };
  });

function stack(source: LintSource, { layer, call }: LayerCall): TextFix[] {
  const { range, text } = layer.options.get('num_layers')!;
  const title = 'Stack two layers: num_layers=2';
  const byPlace = call.positional.find(({ node }) => node.startIndex === range?.offset);
  if (text && !/^\d+$/.test(text)) return [];
  const edit = byPlace
    ? replace(source, byPlace.node, '2')
    : text
      ? setArgument(source, call, 'num_layers', '2')
      : addArguments(source, call, [['num_layers', '2']]);
  return edit ? [{ title, edits: [edit] }] : [];
}
