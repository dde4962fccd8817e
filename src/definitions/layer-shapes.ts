// What Keras's and TensorFlow.js's layers make of the shapes that they read, without the batch. The layers are named in
// small letters, since the two differ in nothing else.

export type Dim = number | null;

export interface Shape {
  /** null: not even how many there are */
  dims: readonly Dim[] | null;
  last: Dim;
}

/** An option's value; null where it cannot be told, undefined where it is not given. */
export type Told = (name: string) => Dim | string | boolean | readonly Dim[] | undefined;

export const OPEN: Shape = { dims: null, last: null };

export function ofSizes(dims: readonly Dim[]): Shape {
  return { dims, last: dims.at(-1) ?? null };
}

/** What two shapes have in common. */
export function agreed(a: Shape, b: Shape): Shape {
  const last = a.last === b.last ? a.last : null;
  if (!a.dims || !b.dims || a.dims.length !== b.dims.length) return { dims: null, last };
  return ofSizes(a.dims.map((dim, index) => (dim === b.dims![index] ? dim : null)));
}

/** What element by element is made of two: an axis that is told and longer than 1 is that of both. */
export function broadcast(a: Shape, b: Shape): Shape {
  const axis = (one: Dim | undefined, other: Dim | undefined): Dim => {
    if (one === undefined || other === undefined) return one ?? other ?? null;
    if (one === other) return one;
    if (one !== null && one > 1) return other === null || other === 1 ? one : null;
    if (other !== null && other > 1) return one === null || one === 1 ? other : null;
    return null;
  };
  const last = axis(a.last, b.last);
  if (!a.dims || !b.dims) return { dims: null, last };
  const [x, y] = [a.dims, b.dims];
  const rank = Math.max(x.length, y.length);
  return ofSizes(
    Array.from({ length: rank }, (_, index) => axis(x[x.length - rank + index], y[y.length - rank + index])),
  );
}

const MERGES = /^(?:add|subtract|multiply|average|maximum|minimum)$/;
const KEEPS =
  /^(?:activation|masking|(?:batch|layer|group|unit|rms)?normalization|dropout|spatialdropout[123]d|gaussian(?:noise|dropout)|alphadropout|(?:leaky|thresholded|p)?relu|elu|softmax|activityregularization|rescaling)$/;

type Rule = (told: Told, input: Shape, inputs: readonly Shape[]) => Shape;

export function outputOf(name: string, told: Told, input: Shape, inputs: readonly Shape[]): Shape {
  if (MERGES.test(name)) return inputs.reduce(broadcast, input);
  if (KEEPS.test(name)) return inputs.reduce(agreed, input);
  return RULES[name]?.(told, input, inputs) ?? OPEN;
}

const withLast = (input: Shape, last: Dim): Shape =>
  input.dims ? ofSizes([...input.dims.slice(0, -1), last]) : { dims: null, last };

const dense: Rule = (told, input) => withLast(input, number(told('units')));

const embedding: Rule = (told, input) => {
  const last = number(told('output_dim'));
  return input.dims ? ofSizes([...input.dims, last]) : { dims: null, last };
};

const flatten: Rule = (_told, { dims }) =>
  dims?.every(dim => dim !== null)
    ? ofSizes([(dims as number[]).reduce((product, dim) => product * dim, 1)])
    : ofSizes([null]);

const reshape: Rule = (told, { dims }) => {
  const target = told('target_shape');
  if (!Array.isArray(target)) return OPEN;
  const sizes = target as Dim[];
  if (!sizes.includes(-1)) return ofSizes(sizes);
  const all = dims?.every(dim => dim !== null) ? (dims as number[]).reduce((a, b) => a * b, 1) : null;
  const others = sizes.filter(size => size !== -1);
  const rest =
    all !== null && others.every(size => size !== null)
      ? all / (others as number[]).reduce((a, b) => a * b, 1)
      : null;
  return ofSizes(sizes.map(size => (size === -1 ? rest : size)));
};

const permute: Rule = (told, { dims }) => {
  const order = told('dims');
  if (!dims || !Array.isArray(order)) return OPEN;
  return ofSizes((order as Dim[]).map(place => (place === null ? null : (dims[place - 1] ?? null))));
};

const repeat: Rule = (told, { last }) => ofSizes([number(told('n')), last]);

/** Length along each axis that a window slides over. */
function slid(told: Told, dims: readonly Dim[], windowOf: string, stridesOf: string, isPool: boolean): Dim[] {
  const windows = told(windowOf);
  const strides = told(stridesOf);
  const dilation = told('dilation_rate');
  const padding = told('padding') ?? 'valid';
  return dims.map((length, axis) => {
    const window = along(windows, axis, isPool ? 2 : undefined);
    const stride = along(strides, axis, isPool ? window : 1);
    const rate = along(dilation, axis, 1);
    if (length === null || window === null || stride === null || rate === null) return null;
    if (padding === 'same' || padding === 'causal') return Math.ceil(length / stride);
    if (padding !== 'valid') return null;
    const length_ = Math.floor((length - (rate * (window - 1) + 1)) / stride) + 1;
    return length_ > 0 ? length_ : null;
  });
}

function along(given: ReturnType<Told>, axis: number, otherwise: Dim | undefined): Dim {
  if (given === undefined || (given === null && otherwise !== undefined)) return otherwise ?? null;
  if (typeof given === 'number') return given;
  return Array.isArray(given) ? ((given as Dim[])[axis] ?? null) : null;
}

/** Channels stand last, unless the code says otherwise. */
function isChannelsLast(told: Told): boolean {
  const format = told('data_format');
  return format === undefined || format === 'channels_last' || format === 'channelsLast';
}

const convolution =
  (axes: number): Rule =>
  (told, { dims }) => {
    if (!isChannelsLast(told)) return OPEN;
    const filters = number(told('filters'));
    if (dims?.length !== axes + 1) return { dims: null, last: filters };
    return ofSizes([...slid(told, dims.slice(0, axes), 'kernel_size', 'strides', false), filters]);
  };

const pooling =
  (axes: number): Rule =>
  (told, { dims, last }) => {
    if (!isChannelsLast(told)) return OPEN;
    if (dims?.length !== axes + 1) return { dims: null, last };
    return ofSizes([...slid(told, dims.slice(0, axes), 'pool_size', 'strides', true), last]);
  };

const globalPooling: Rule = (told, { last }) => {
  if (!isChannelsLast(told)) return OPEN;
  return told('keepdims') === undefined ? ofSizes([last]) : { dims: null, last };
};

const sizesChange: Rule = (_told, { dims, last }) =>
  dims ? ofSizes([...dims.slice(0, -1).map(() => null), last]) : { dims: null, last };

const concatenate: Rule = (told, _input, inputs) => {
  const given = told('axis');
  const axis = given === undefined ? -1 : given;
  if (typeof axis !== 'number') return OPEN;
  const sum = (all: readonly Dim[]) =>
    all.some(dim => dim === null) ? null : (all as number[]).reduce((a, b) => a + b, 0);
  const ranks = new Set(inputs.map(({ dims }) => dims?.length ?? null));
  const [rank] = ranks;
  if (ranks.size !== 1 || rank === null || rank === undefined)
    return axis === -1 ? { dims: null, last: sum(inputs.map(({ last }) => last)) } : OPEN;
  // the batch is the first axis
  const place = axis < 0 ? rank + axis : axis - 1;
  const common = inputs.reduce(agreed);
  return ofSizes(
    common.dims!.map((dim, index) => (index === place ? sum(inputs.map(each => each.dims![index]!)) : dim)),
  );
};

/** Queries ask; what they get has the values' width, or with heads the queries'. */
const multiHead: Rule = (told, input) => (told('output_shape') === undefined ? input : OPEN);
const attention: Rule = (_told, query, inputs) => withLast(query, inputs[1]?.last ?? null);

const RULES: Readonly<Record<string, Rule>> = {
  dense,
  einsumdense: () => OPEN,
  embedding,
  flatten,
  reshape,
  permute,
  repeatvector: repeat,
  conv1d: convolution(1),
  convolution1d: convolution(1),
  separableconv1d: convolution(1),
  conv2d: convolution(2),
  convolution2d: convolution(2),
  separableconv2d: convolution(2),
  conv3d: convolution(3),
  maxpooling1d: pooling(1),
  maxpool1d: pooling(1),
  averagepooling1d: pooling(1),
  avgpool1d: pooling(1),
  maxpooling2d: pooling(2),
  maxpool2d: pooling(2),
  averagepooling2d: pooling(2),
  avgpool2d: pooling(2),
  maxpooling3d: pooling(3),
  maxpool3d: pooling(3),
  globalmaxpooling1d: globalPooling,
  globalaveragepooling1d: globalPooling,
  globalmaxpool1d: globalPooling,
  globalavgpool1d: globalPooling,
  globalmaxpooling2d: globalPooling,
  globalaveragepooling2d: globalPooling,
  upsampling1d: sizesChange,
  upsampling2d: sizesChange,
  zeropadding1d: sizesChange,
  zeropadding2d: sizesChange,
  cropping1d: sizesChange,
  cropping2d: sizesChange,
  concatenate,
  multiheadattention: multiHead,
  attention,
  additiveattention: attention,
};

function number(value: ReturnType<Told>): Dim {
  return typeof value === 'number' ? value : null;
}
