// A stack of causal Transformer blocks: A. Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, normalised before each
// part as in A. Radford et al., 2019 (GPT-2) and R. Xiong et al., 2020, https://arxiv.org/abs/2002.04745. A block:
//
//   [q k v] = W_in norm1(x) + b_in      by heads: a_t = Σ_{s ≤ t} softmax_s(q_t · k_s / √(D/heads)) v_s
//   x = x + W_out a + b_out
//   x = x + W_2 φ(W_1 norm2(x) + b_1) + b_2      φ = gelu or relu
//
// Shapes: x (T, B, D), in_proj (3·D, D), out_proj (D, D), linear1 (M, D), linear2 (D, M). The variables of block k are
// named blocks.<k>.… as torch.nn.TransformerEncoderLayer(norm_first=True) names them, which it equals. Before the first
// block `positions` are added: learned (seqLen, D), N(0, 0.02²) at first; or sin and cos of t / 10000^(2i/D). There is no
// normalisation after the last block: that is a layer-norm layer. Dropout stands after the attention's output, after φ
// and after W_2, and not on the attention's weights.
// Initial values: PyTorch Glorot-uniform in_proj, the others uniform ±1/√inputs, attention biases 0; Keras and tfjs
// Glorot-uniform weights and zero biases.
import { add, type Tensor, type Tensor3D, tensor2d, type Variable } from '@tensorflow/tfjs-core';
import { hiddenOf } from '../../experiment/layers/transformer.ts';
import type { LayerOf } from '../../experiment/schema.ts';
import { dropout } from './dropout.ts';
import { rowsOf } from './embedding.ts';
import { ModelError } from './errors.ts';
import { glorotUniform, normal, uniform, zeros } from './initial.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { normIn } from './layer-norm.ts';
import { activation, attention, dense } from './operations.ts';

const EPSILON = 1e-5;
const POSITION_SPREAD = 0.02;

type Block = (x: Tensor3D, pass: Pass) => Tensor3D;

export function buildTransformer(layer: LayerOf<'transformer'>, place: Place): BuiltLayer {
  const { width } = place.input;
  if (width % layer.heads !== 0)
    throw new ModelError(
      `Layer ${place.index + 1} shares ${width} numbers among ${layer.heads} heads, which does not come out even; take a number of heads that divides ${width}, or put a dense layer before it.`,
      ['model', 'layers', place.index, 'heads'],
    );
  const locate = positionsOf(layer, place);
  const blocks = Array.from({ length: layer.layers }, (_, index) => blockOf(layer, place, `blocks.${index}`));
  return {
    output: { kind: 'vectors', width, learned: true },
    forward: (x, pass) => blocks.reduce((sequence, block) => block(sequence, pass), locate(x as Tensor3D)),
  };
}

function blockOf(layer: LayerOf<'transformer'>, place: Place, name: string): Block {
  const { width } = place.input;
  const hidden = hiddenOf(layer, width);
  const norm1 = normIn(place, `${name}.norm1.`, EPSILON);
  const inProjection = linear(place, `${name}.self_attn.in_proj_`, 3 * width, width, 'attention in');
  const outProjection = linear(place, `${name}.self_attn.out_proj.`, width, width, 'attention out');
  const norm2 = normIn(place, `${name}.norm2.`, EPSILON);
  const linear1 = linear(place, `${name}.linear1.`, hidden, width, 'dense');
  const linear2 = linear(place, `${name}.linear2.`, width, hidden, 'dense');
  return (x, pass) => {
    const drop = (y: Tensor3D, where: string) =>
      dropout(y, layer.dropout, place.seed, `${place.name}.${name}.${where}`, pass);
    const { lengths } = pass.options;
    const seen = { heads: layer.heads, causal: true, window: layer.window ?? 0, lengths };
    const attended = outProjection(attention(inProjection(norm1(x)), seen));
    const between: Tensor3D = add(x, drop(attended, 'attention'));
    const inner = activation(layer.activation, linear1(norm2(between)));
    return add(between, drop(linear2(drop(inner, 'inner')), 'outer'));
  };
}

type Role = 'attention in' | 'attention out' | 'dense';

function linear(place: Place, prefix: string, outputs: number, inputs: number, role: Role) {
  const spread = uniform(1 / Math.sqrt(inputs));
  const pytorch = place.convention === 'pytorch';
  const ofWeight = pytorch && role !== 'attention in' ? spread : glorotUniform;
  const weight = place.variable(`${prefix}weight`, [outputs, inputs], ofWeight);
  const bias = place.variable(`${prefix}bias`, [outputs], pytorch && role === 'dense' ? spread : zeros);
  return (x: Tensor3D) => dense(x, weight, bias);
}

/** What tells the steps apart: adds a row of a table to each. */
function positionsOf({ positions }: LayerOf<'transformer'>, place: Place): (x: Tensor3D) => Tensor3D {
  if (positions === 'none') return x => x;
  const { width } = place.input;
  const learned: Variable | null =
    positions === 'learned'
      ? place.variable('positions', [place.seqLen, width], normal(POSITION_SPREAD))
      : null;
  return x => {
    const [seqLen, batch] = x.shape;
    if (learned && seqLen > place.seqLen)
      throw new RangeError(
        `${place.name} has learned ${place.seqLen} positions, but got a sequence of ${seqLen} steps.`,
      );
    const table: Tensor = learned ?? tensor2d(sinusoids(seqLen, width), [seqLen, width]);
    const steps = Int32Array.from({ length: seqLen * batch }, (_, row) => Math.floor(row / batch));
    return add(x, rowsOf(table, steps, [seqLen, batch]));
  };
}

/** (T, D): sin in the even columns, cos in the odd ones (Vaswani et al. 2017, section 3.5). */
export function sinusoids(seqLen: number, width: number): Float32Array {
  return Float32Array.from({ length: seqLen * width }, (_, i) => {
    const [t, j] = [Math.floor(i / width), i % width];
    const angle = t / 10_000 ** ((j - (j % 2)) / width);
    return j % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
}
