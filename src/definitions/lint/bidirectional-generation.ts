// A model that reads from both ends, in a file that lets it make sequences step by step.
import { enclosingClass } from '../code/expression.ts';
import { descendants, type Node } from '../code/syntax.ts';
import type { FoundModel } from '../definition.ts';
import type { Rule, TextFix } from './finding.ts';
import { outermost } from './neighbours.ts';
import { type LayerCall, type LintSource, nameOf } from './source.ts';

const GENERATORS = /\b(?:generate|sample)\w*\s*(?:=\s*(?:async\s*)?)?\(/gi;
const FUNCTIONS = [
  'function_definition',
  'function_declaration',
  'method_definition',
  'arrow_function',
  'function_expression',
];
const LOOPS = ['for_statement', 'while_statement', 'for_in_statement', 'do_statement'];
/** the next step is chosen from what the model says of it */
const CHOOSES = /multinomial|categorical|arg_?max|random\.choice|top_?[kp]\b/i;

export const bidirectionalGeneration: Rule = source => {
  const generators = source
    .around(GENERATORS, [...FUNCTIONS, 'variable_declarator'])
    .map(node => (node.type === 'variable_declarator' ? (node.childForFieldName('value') ?? node) : node))
    .filter(generates);
  if (generators.length === 0) return [];
  return source.definitions.models.flatMap(model => {
    const layers = source.layers.filter(({ layer }) => model.layers.includes(layer));
    // with another layer, the one that reads both ways may be the encoder of what is given whole
    if (layers.length === 0 || layers.some(found => !readsBothWays(source, found))) return [];
    const generator = generators.find(each => usesModel(source, each, model, layers[0]!));
    if (!generator) return [];
    const name = nameOfFunction(generator);
    return layers.map(found => ({
      id: 'bidirectional-generation',
      severity: 'hint' as const,
      message: `This ${nameOf(found.layer)} reads each sequence from both ends, but \`${name}\` makes one step by step, when the steps to come are not there: it meets what training never showed it.`,
      range: found.layer.range,
      fixes: unwrap(source, found),
    }));
  });
};

function readsBothWays(source: LintSource, { layer, call }: LayerCall): boolean {
  if (layer.recurrent?.bidirectional.value !== true) return false;
  let statement: Node = call.node;
  while (statement.parent && !/_(?:statement|declaration|definition)$/.test(statement.type))
    statement = statement.parent;
  return !/enc/i.test(source.text.slice(statement.startIndex, call.node.startIndex));
}

function generates(node: Node): boolean {
  if (!/^_*(?:generate|sample)/i.test(nameOfFunction(node)) || !CHOOSES.test(node.text)) return false;
  return descendants(node, LOOPS).length > 0;
}

function nameOfFunction(node: Node): string {
  const name = node.childForFieldName('name') ?? node.parent?.childForFieldName('name');
  return name?.text ?? '';
}

/** A method of the model's own class; else a function that calls the file's one model. */
function usesModel(source: LintSource, generator: Node, model: FoundModel, { call }: LayerCall): boolean {
  const { dialect } = source.reader;
  const owner = enclosingClass(dialect.scopeOf(generator));
  if (model.kind === 'class') {
    if (enclosingClass(dialect.scopeOf(call.node))?.node.id === owner?.node.id) return true;
    if (owner) return false;
  }
  return (
    source.definitions.models.length === 1 &&
    /\bmodel\w*(?:\.predict|\.apply|\.call|\.forward)?\(/i.test(generator.text)
  );
}

/** Keras and TensorFlow.js count the widths after it anew; in PyTorch those are the writer's own numbers. */
function unwrap(source: LintSource, { call }: LayerCall): TextFix[] {
  const { node } = call;
  const outer = outermost(source, node);
  const wrapper = outer.equals(node) ? null : source.expression(outer);
  if (wrapper?.kind !== 'call') return [];
  // an input's shape that the wrapper gives would be lost
  if ([...wrapper.named.keys()].some(name => !/^(?:layer|merge_?mode)$/i.test(name))) return [];
  const remove = (start: number, end: number) => ({ range: source.range(start, end), text: '' });
  return [
    {
      title: 'Read forward only',
      edits: [remove(outer.startIndex, node.startIndex), remove(node.endIndex, outer.endIndex)],
    },
  ];
}
