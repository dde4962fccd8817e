// Keras layers and their weights as they are added, each under a name of its own.

/** TensorFlow.js reads the models of Keras 2 and lacks some of its layers. */
export type Target = 'keras' | 'tfjs';

export type Config = Readonly<Record<string, unknown>>;

export interface KerasWeight {
  /** as Keras names it: "kernel" */
  name: string;
  /** the part of the layer that has it: "cell", "forward_layer/cell"; empty: the layer itself */
  part: string;
  shape: readonly number[];
  data: Float32Array;
}

export interface KerasNode {
  className: string;
  name: string;
  config: Config;
  from: readonly string[];
  weights: readonly KerasWeight[];
  /** what code gives it beside what it reads, by names; a recurrent layer then also gives its states */
  beside?: Readonly<Record<string, string | readonly string[]>>;
}

export class KerasGraph {
  readonly nodes: KerasNode[] = [];
  readonly target: Target;
  private base = '';
  private used = 0;

  constructor(target: Target) {
    this.target = target;
  }

  /** What is added from here on belongs to this layer. */
  begin(name: string): void {
    this.base = name;
    this.used = 0;
  }

  /** @returns its name */
  add(
    className: string,
    from: string | readonly string[],
    config: Config = {},
    weights: readonly (Omit<KerasWeight, 'part' | 'data'> & {
      part?: string;
      data: ArrayLike<number>;
    })[] = [],
    beside?: KerasNode['beside'],
  ): string {
    const name = this.used++ === 0 ? this.base : `${this.base}_${this.used}`;
    this.nodes.push({
      className,
      name,
      config: { name, ...config },
      from: typeof from === 'string' ? [from] : from,
      weights: weights.map(({ part = '', data, ...rest }) => ({
        ...rest,
        part,
        data: Float32Array.from(data),
      })),
      ...(beside && { beside }),
    });
    return name;
  }
}
