// An embedding whose sizes are not those of the matrix that it is given as its weights.
import type { Expression } from '../code/expression.ts';
import { replace } from './edits.ts';
import type { Rule } from './finding.ts';
import type { LintSource } from './source.ts';

const EMBEDDINGS = /\bEmbedding\s*\(|\.embedding\s*\(/g;
const MADE = /^(?:np|numpy|tf|torch)\.(?:zeros|ones|empty|random\.(?:rand|randn))$/;

export const embeddingWeights: Rule = source =>
  source.around(EMBEDDINGS, ['call', 'call_expression']).flatMap(node => {
    const known = source.reader.known(node);
    if (known?.maker.role !== 'embedding' || known.maker.framework === 'torch') return [];
    const { named, positional } = known.expression;
    const weights = named.get('weights')?.value;
    const initializer = named.get('embeddings_initializer')?.value;
    const matrix = weights ? firstOf(source, weights) : initializer ? constantOf(source, initializer) : null;
    const sizes = matrix && sizesOf(source, matrix);
    if (!sizes) return [];
    return (['input_dim', 'output_dim'] as const).flatMap((name, axis) => {
      const given = named.get(name)?.value ?? named.get(name.replace(/_d/, 'D'))?.value ?? positional[axis];
      const value = given ? source.reader.resolver.value(given) : null;
      const wanted = sizes[axis];
      if (!given || value?.kind !== 'known' || typeof value.value !== 'number') return [];
      if (wanted === null || wanted === undefined || wanted === value.value) return [];
      const what = axis === 0 ? 'words' : 'features of each word';
      return [
        {
          id: 'embedding-weights',
          severity: 'warning' as const,
          message: `This ${known.maker.name} has ${value.value} ${what}, but its weights are made in line ${matrix.node.startPosition.row + 1} for ${wanted}: setting them fails.`,
          range: source.range(given.node.startIndex, given.node.endIndex),
          fixes: /^\d+$/.test(given.node.text)
            ? [{ title: `Take ${wanted}`, edits: [replace(source, given.node, String(wanted))] }]
            : [],
        },
      ];
    });
  });

function firstOf(source: LintSource, weights: Expression): Expression | null {
  const items = source.reader.resolver.itemsOf(weights);
  return items?.[0] ?? null;
}

/** `keras.initializers.Constant(matrix)` */
function constantOf(source: LintSource, initializer: Expression): Expression | null {
  const [made] = source.reader.resolver.definitions(initializer);
  const isConstant = made?.kind === 'call' && /\bConstant$/.test(made.callee.node.text);
  return isConstant ? (made.positional[0] ?? made.named.get('value')?.value ?? null) : null;
}

/** `np.zeros((1000, 50))` */
function sizesOf(source: LintSource, matrix: Expression): (number | null)[] | null {
  const made = source.reader.resolver.definitions(matrix);
  const [only] = made;
  if (made.length !== 1 || only?.kind !== 'call' || !MADE.test(only.callee.node.text)) return null;
  const [first] = only.positional;
  const items =
    first &&
    (source.reader.resolver.itemsOf(first) ?? (only.positional.length === 2 ? only.positional : null));
  if (items?.length !== 2) return null;
  return items.map(item => {
    const value = source.reader.resolver.value(item);
    return value.kind === 'known' && typeof value.value === 'number' ? value.value : null;
  });
}
