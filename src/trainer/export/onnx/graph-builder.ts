// Nodes and weights of an ONNX graph as they are added, each under a name of its own.
import type { NamedTensor } from '../../../runs/safetensors.ts';
import type { Attribute, GraphNode, Initializer } from './proto.ts';

export class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  readonly initializers: Initializer[] = [];
  private names = 0;

  /** @returns the node's only output */
  add(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.addNode(op, inputs, attributes, 1)[0]!;
  }

  /** @returns its outputs, in ONNX's order */
  addNode(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
    outputs: number,
  ): string[] {
    const names = Array.from({ length: outputs }, () => `${op.toLowerCase()}_${this.names++}`);
    this.nodes.push({ op, inputs, outputs: names, attributes });
    return names;
  }

  /** An output of the graph, under its own name. */
  end(x: string, name: string): void {
    this.nodes.push({ op: 'Identity', inputs: [x], outputs: [name], attributes: {} });
  }

  floats(data: ArrayLike<number>, shape: readonly number[]): string {
    return this.keep({ shape, data: Float32Array.from(data) });
  }

  tensor({ data, shape }: NamedTensor): string {
    return this.floats(data, shape);
  }

  ints(...values: number[]): string {
    return this.keep({ shape: [values.length], data: BigInt64Array.from(values.map(BigInt)) });
  }

  int(value: number): string {
    return this.keep({ shape: [], data: BigInt64Array.of(BigInt(value)) });
  }

  scalar(value: number): string {
    return this.floats([value], []);
  }

  private keep(value: Omit<Initializer, 'name'>): string {
    const name = `weight_${this.initializers.length}`;
    this.initializers.push({ name, ...value });
    return name;
  }
}
