// Nodes and weights of an ONNX graph as they are added, each under a name of its own.
import type { NamedTensor } from '../../../runs/safetensors.ts';
import type { Attribute, GraphNode, Initializer } from './proto.ts';

export class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  readonly initializers: Initializer[] = [];
  private names = 0;

  /** @returns the node's first output */
  add(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    outputs = 1,
  ): string {
    const names = Array.from({ length: outputs }, () => `${op.toLowerCase()}_${this.names++}`);
    this.nodes.push({ op, inputs, outputs: names, attributes });
    return names[0]!;
  }

  /** The graph's output, under its own name. */
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

  scalar(value: number): string {
    return this.floats([value], []);
  }

  private keep(value: Omit<Initializer, 'name'>): string {
    const name = `weight_${this.initializers.length}`;
    this.initializers.push({ name, ...value });
    return name;
  }
}
