// The last layer against the classes that it is to tell apart: softmax over one unit is always 1, and one-hot targets have
// as many columns as there are classes.
import type { FoundLayer, FoundModel } from '../definition.ts';
import { replace } from './edits.ts';
import type { Rule, TextFix } from './finding.ts';
import type { LintSource } from './source.ts';

const DENSE = /^(?:Dense|dense)$/;
const ONE_HOT = /\b(?:to_categorical|oneHot)\s*\(/g;

export const denseClasses: Rule = source =>
  source.definitions.models.flatMap(model => {
    if (model.framework === 'torch' || model.isBroken) return [];
    const last = model.layers.at(-1);
    if (!last || !DENSE.test(last.name) || last.inLoop || last.isConditional) return [];
    return [...softmaxOfOne(source, last), ...otherClasses(source, model, last)];
  });

function softmaxOfOne(source: LintSource, layer: FoundLayer): ReturnType<Rule> {
  const activation = layer.options.get('activation');
  if (layer.options.get('units')?.value !== 1 || activation?.value !== 'softmax' || !activation.range)
    return [];
  const value = argumentOf(source, layer, 'activation');
  return [
    {
      id: 'dense-classes',
      severity: 'warning',
      message: `The softmax of one unit is 1 whatever ${layer.name} computes, so nothing can be learned: one unit tells two classes apart with sigmoid, n classes need n units.`,
      range: activation.range,
      fixes: value
        ? [
            {
              title: 'Take sigmoid',
              edits: [replace(source, value, value.text.replace('softmax', 'sigmoid'))],
            },
          ]
        : [],
    },
  ];
}

/** `to_categorical(y, 10)` beside `Dense(5, activation="softmax")`, where the file has one model. */
function otherClasses(source: LintSource, model: FoundModel, layer: FoundLayer): ReturnType<Rule> {
  const units = layer.options.get('units');
  if (source.definitions.models.length !== 1 || typeof units?.value !== 'number') return [];
  if (layer.options.get('activation')?.value !== 'softmax') return [];
  const classes = new Set(
    source.around(ONE_HOT, ['call', 'call_expression']).map(node => {
      const call = source.expression(node);
      if (call.kind !== 'call') return null;
      const given = call.named.get('num_classes')?.value ?? call.positional[1];
      const value = given ? source.reader.resolver.value(given) : null;
      return value?.kind === 'known' && typeof value.value === 'number' ? value.value : null;
    }),
  );
  const [wanted] = classes;
  if (classes.size !== 1 || typeof wanted !== 'number' || wanted === units.value || units.value === 1)
    return [];
  const value = argumentOf(source, layer, 'units');
  const fixes: TextFix[] =
    value && /^\d+$/.test(value.text)
      ? [{ title: `Give it ${wanted} units`, edits: [replace(source, value, String(wanted))] }]
      : [];
  return [
    {
      id: 'dense-classes',
      severity: 'warning',
      message: `The last ${layer.name} of ${model.name} has ${units.value} units, but the targets are made one-hot over ${wanted} classes: their shapes do not fit, and training fails.`,
      range: units.range ?? layer.range,
      fixes,
    },
  ];
}

function argumentOf(source: LintSource, { callRange }: FoundLayer, name: string) {
  let node = source.root.descendantForIndex(callRange.offset, callRange.offset + callRange.length);
  while (node && !source.reader.dialect.calls.includes(node.type)) node = node.parent;
  const known = node && source.reader.known(node);
  if (!known) return null;
  const place = known.maker.positional.indexOf(name);
  return (known.expression.named.get(name)?.value ?? known.expression.positional[place])?.node ?? null;
}
