// An embedding whose sizes are not those of the matrix that it is given as its weights.
import type { Expression } from '../code/expression.ts';
import type { Node } from '../code/syntax.ts';
import type { KnownCall } from '../found-layers.ts';
import { replace } from './edits.ts';
import type { Rule, TextFinding } from './finding.ts';
import type { LintSource } from './source.ts';

const EMBEDDINGS = /\bEmbedding\s*\(|\.embedding\s*\(/g;
/** what sets the weights of an embedding that has a name */
const SET =
  /\.weight(?:\.data)?\.copy_(?=\s*\()|\.set_weights(?=\s*\()|\.setWeights(?=\s*\()|\.load_state_dict(?=\s*\()/g;
const SIZES = [
  ['input_dim', 'inputDim', 'num_embeddings'],
  ['output_dim', 'outputDim', 'embedding_dim'],
] as const;

export const embeddingWeights: Rule = source => [
  ...source.around(EMBEDDINGS, ['call', 'call_expression']).flatMap(node => {
    const known = source.reader.known(node);
    if (known?.maker.role !== 'embedding' || known.maker.framework === 'torch') return [];
    const { named } = known.expression;
    const weights = named.get('weights')?.value;
    const initializer = named.get('embeddings_initializer')?.value;
    const matrix = weights ? firstOf(source, weights) : initializer ? constantOf(source, initializer) : null;
    return matrix ? compared(source, known, matrix) : [];
  }),
  ...source.matches(SET).flatMap(({ 0: match, index }) => {
    const call = source.reader.callThatEndsIn(index! + match.length);
    const set = call && !call.hasError ? given(source, call) : null;
    const known = set && source.knownCall(set.embedding);
    if (!set || known?.maker.role !== 'embedding' || known.expression.node.source !== source.root.source)
      return [];
    return compared(source, known, set.matrix);
  }),
];

/** `words.weight.data.copy_(matrix)`, `words.set_weights([matrix])`, `words.load_state_dict({"weight": matrix})` */
function given(source: LintSource, node: Node): { embedding: Expression; matrix: Expression } | null {
  const call = source.expression(node);
  if (call.kind !== 'call' || call.callee.kind !== 'member') return null;
  const [first] = call.positional;
  const { object, name } = call.callee;
  if (!first) return null;
  if (name === 'load_state_dict') {
    const matrix = first.kind === 'record' ? first.entries.get('weight') : undefined;
    return matrix ? { embedding: object, matrix } : null;
  }
  if (name !== 'copy_') {
    const matrix = firstOf(source, first);
    return matrix ? { embedding: object, matrix } : null;
  }
  const weight = object.kind === 'member' && object.name === 'data' ? object.object : object;
  return weight.kind === 'member' && weight.name === 'weight'
    ? { embedding: weight.object, matrix: first }
    : null;
}

function compared(source: LintSource, known: KnownCall, matrix: Expression): Omit<TextFinding, 'page'>[] {
  const sizes = source.reader.resolver.shapeOf(matrix);
  if (sizes?.length !== 2) return [];
  const { named, positional } = known.expression;
  const [made] = source.reader.resolver.definitions(matrix);
  return SIZES.flatMap((names, axis) => {
    const own =
      names.map(name => named.get(name)?.value).find(each => each !== undefined) ?? positional[axis];
    const value = own ? source.reader.resolver.value(own) : null;
    const wanted = sizes[axis]!;
    if (!own || value?.kind !== 'known' || typeof value.value !== 'number') return [];
    if (wanted.kind !== 'known' || typeof wanted.value !== 'number' || wanted.value === value.value)
      return [];
    const what = axis === 0 ? 'words' : 'features of each word';
    return [
      {
        id: 'embedding-weights',
        severity: 'warning' as const,
        message: `This ${known.maker.name} has ${value.value} ${what}, but its weights are made in line ${(made ?? matrix).node.startPosition.row + 1} for ${wanted.value}: setting them fails.`,
        range: source.range(own.node.startIndex, own.node.endIndex),
        fixes: /^\d+$/.test(own.node.text)
          ? [{ title: `Take ${wanted.value}`, edits: [replace(source, own.node, String(wanted.value))] }]
          : [],
      },
    ];
  });
}

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
