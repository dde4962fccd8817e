// The C interface of the kernels: one function for each function of src/trainer/engine/provider.ts, which holds the
// contract (what is overwritten, what may be null, which layouts). Native and WASM builds export the same functions.
//
// Rules:
// 1. Every function takes one struct and returns a double: its result, or 0 where provider.ts returns nothing.
// 2. A struct holds first its doubles, then its pointers, then its int32 numbers, so that there is no padding between
//    members and a caller can write it member after member on 32 and on 64 bits. UNROLL_FUNCTIONS counts the members.
// 3. Pointers need no more alignment than their elements. A null pointer is what `null` is in provider.ts.
// 4. Sizes have been checked. No function allocates, fails or keeps a pointer, except inside `packed`.
// 5. One call at a time: the caller does not enter a second one while the first runs.
//
// Legend of shapes, here and in all kernels: T seq_len, B batch, I input_size, H hidden_size, G gates of the cell,
// N rows, C classes, V vocabulary, D width, M N K sizes of a product. Row-major; sequences are (T, B, ...).
#pragma once

typedef __INT32_TYPE__ Int32;

enum UnrollCell {
  UNROLL_RNN_TANH = 0,
  UNROLL_RNN_RELU = 1,
  UNROLL_LSTM = 2,
  UNROLL_GRU_RESET_AFTER = 3,
  UNROLL_GRU_RESET_BEFORE = 4,
  UNROLL_RNN_SIGMOID = 5,
  UNROLL_RNN_LEAKY_RELU = 6,
  UNROLL_RNN_LINEAR = 7,
  UNROLL_SLSTM = 8, /* of variant_forward and variant_backward alone */
};

enum UnrollMemoryKind {
  UNROLL_MEMORY_PACKED = 0,
  UNROLL_MEMORY_CACHE = 1,
  UNROLL_MEMORY_FORWARD_SCRATCH = 2,
  UNROLL_MEMORY_BACKWARD_SCRATCH = 3,
};

/** Returns the floats of one kind of memory, for the number of threads now running; `ragged`: lengths will be given. */
struct UnrollRecurrentMemory {
  Int32 cell, seq_len, batch, input_size, hidden_size;
  Int32 ragged, kind;
};

/** RecurrentForward. `version` holds the bits of an unsigned number. */
struct UnrollRecurrentForward {
  const float *weight_ih, *weight_hh, *bias_ih, *bias_hh;
  float *packed;
  const float *x;
  const Int32 *lengths;
  const float *h0, *c0;
  float *y, *h_n, *c_n, *cache, *scratch;
  Int32 cell, seq_len, batch, input_size, hidden_size;
  Int32 reverse, version;
};

/** RecurrentBackward; `hidden_grad_norm` null stands for `report` null. With `lengths` the cache has x and y. */
struct UnrollRecurrentBackward {
  const float *weight_ih, *weight_hh, *bias_ih, *bias_hh;
  float *packed;
  const float *x;
  const Int32 *lengths;
  const float *h0, *c0, *y;
  float *cache, *scratch;
  const float *dy, *dh_n, *dc_n;
  float *dx, *dweight_ih, *dweight_hh, *dbias_ih, *dbias_hh, *dh0, *dc0;
  float *hidden_grad_norm, *cell_grad_norm, *gate_mean, *gate_saturation;
  Int32 cell, seq_len, batch, input_size, hidden_size;
  Int32 reverse, version;
};

/** Returns the floats of scratch that such a product takes. */
struct UnrollGemmMemory {
  Int32 m, n, k, trans_a, trans_b;
};

struct UnrollGemm {
  const float *a, *b, *bias;
  float *c, *scratch;
  Int32 m, n, k, trans_a, trans_b, accumulate;
};

struct UnrollColumnSums {
  const float *a;
  float *out;
  Int32 rows, width;
};

/** Returns the loss. */
struct UnrollSoftmaxCrossEntropy {
  double label_smoothing;
  const float *logits;
  const Int32 *targets;
  const float *weights;
  float *dlogits;
  Int32 rows, classes;
};

/** Returns the floats of scratch that such a call takes, for the number of threads now running. */
struct UnrollDenseCrossEntropyMemory {
  Int32 rows, inputs, outputs, weighted, gradients;
};

/** Returns the loss. */
struct UnrollDenseCrossEntropy {
  double label_smoothing;
  const float *x, *weight, *bias;
  const Int32 *targets;
  const float *weights;
  float *dx, *dweight, *dbias, *scratch;
  Int32 rows, inputs, outputs;
};

struct UnrollEmbedding {
  const Int32 *ids;
  const float *table;
  float *out;
  Int32 rows, width;
};

struct UnrollEmbeddingBackward {
  const Int32 *ids;
  const float *dout;
  float *dtable;
  Int32 rows, width;
};

/** Returns the sum. */
struct UnrollSumOfSquares {
  const float *a;
  Int32 count;
};

struct UnrollScale {
  double factor;
  float *a;
  Int32 count;
};

/** Returns Σ |parameter| after the update, as the next two do. */
struct UnrollAdam {
  double learning_rate, beta1, beta2, epsilon, weight_decay, step;
  float *parameter;
  const float *gradient;
  float *first_moment, *second_moment;
  Int32 count;
};

struct UnrollSgd {
  double learning_rate, momentum;
  float *parameter;
  const float *gradient;
  float *momentum_buffer;
  Int32 count, nesterov;
};

struct UnrollRmsprop {
  double learning_rate, decay, momentum, epsilon;
  float *parameter;
  const float *gradient;
  float *square_average, *momentum_buffer;
  Int32 count;
};

struct UnrollCopyColumns {
  const float *from;
  float *to;
  Int32 rows, width, from_stride, to_stride;
};

struct UnrollAdd {
  const float *a, *b;
  float *out;
  Int32 count;
};

enum UnrollActivationKind {
  UNROLL_LINEAR = -1, /* none: where it may be left out */
  UNROLL_RELU = 0,
  UNROLL_GELU = 1,
  UNROLL_TANH = 2,
  UNROLL_SIGMOID = 3,
};

enum UnrollVerb {
  UNROLL_VERB_AFFINE = 0,
  UNROLL_VERB_ADD = 1,
  UNROLL_VERB_SUB = 2,
  UNROLL_VERB_MUL = 3,
  UNROLL_VERB_DIV = 4,
  UNROLL_VERB_EXP = 5,
  UNROLL_VERB_SIGMOID = 6,
  UNROLL_VERB_TANH = 7,
  UNROLL_VERB_SOFTPLUS = 8,
  UNROLL_VERB_SQRT = 9,
  UNROLL_VERB_RELU = 10,
  UNROLL_VERB_AT_MOST = 11,
  UNROLL_VERB_STEP = 12,
};

/** program (steps, 4): verb, where to, first and second operand; constants (steps, 2). formula.h tells the places. */
struct UnrollFormula {
  const Int32 *program;
  const float *constants;
  const float *in0, *in1, *in2, *in3, *in4, *in5, *in6, *in7, *in8, *in9, *in10, *in11;
  float *out0, *out1, *out2, *out3, *out4, *out5, *out6, *out7;
  Int32 count, width, steps, rows_of_width;
};

struct UnrollActivation {
  const float *x;
  float *y;
  Int32 kind, count;
};

struct UnrollActivationBackward {
  const float *x, *y, *dy;
  float *dx;
  Int32 kind, count;
};

/** The members of the key and the counter hold the bits of unsigned numbers. */
struct UnrollDropout {
  double rate;
  const float *x;
  float *y;
  Int32 count, key0, key1, counter_low, counter_high;
};

struct UnrollLayerNorm {
  double epsilon;
  const float *x, *weight, *bias;
  float *y, *mean, *inverse_deviation;
  Int32 rows, width;
};

struct UnrollLayerNormBackward {
  const float *x, *weight, *mean, *inverse_deviation, *dy;
  float *dx, *dweight, *dbias;
  Int32 rows, width;
};

struct UnrollRowNorm {
  double share, epsilon;
  const float *x, *weight;
  float *y, *inverse;
  Int32 rows, width;
};

struct UnrollRowNormBackward {
  double share;
  const float *x, *weight, *inverse, *dy;
  float *dx, *dweight;
  Int32 rows, width;
};

/** Scratch: as short_convolution.h tells. */
struct UnrollShortConvolution {
  const float *x, *before, *weight, *bias;
  float *y, *scratch;
  Int32 seq_len, batch, width, kernel_size, silu;
};

struct UnrollShortConvolutionBackward {
  const float *x, *before, *weight, *bias, *dy;
  float *dx, *dweight, *dbias, *scratch;
  Int32 seq_len, batch, width, kernel_size, silu;
};

/** Returns the floats of scratch that attention takes, forward or backward, for the number of threads now running. */
struct UnrollAttentionMemory {
  Int32 keys, head_size, relative, backward;
};

/** The strides are how far two sequences of a step are apart. */
struct UnrollAttention {
  const float *q, *kv;
  const Int32 *lengths, *query_lengths, *starts;
  const float *slopes, *q_relative, *relative;
  float *out, *log_sum_exp, *weights, *scratch;
  Int32 queries, keys, batch, heads, kv_heads, head_size, q_stride, kv_stride;
  Int32 offset, causal, window, dilation, globals, stride;
};

struct UnrollAttentionBackward {
  const float *q, *kv;
  const Int32 *lengths, *query_lengths, *starts;
  const float *slopes, *q_relative, *relative;
  const float *out, *log_sum_exp, *dout;
  float *dq, *dkv, *dq_relative, *drelative, *scratch;
  Int32 queries, keys, batch, heads, kv_heads, head_size, q_stride, kv_stride;
  Int32 offset, causal, window, dilation, globals, stride;
};

/** Returns the floats of scratch that a convolution takes, forward or backward, for the number of threads now running. */
struct UnrollConvolutionMemory {
  Int32 seq_len, output_len, batch, input_size, output_size, kernel_size, dilation, ahead, stride, groups, backward;
};

struct UnrollConvolution {
  const float *x, *weight, *bias;
  float *y, *scratch;
  Int32 seq_len, output_len, batch, input_size, output_size, kernel_size, dilation, ahead, stride, groups, activation;
};

struct UnrollConvolutionBackward {
  const float *x, *weight, *y, *dy;
  float *dx, *dweight, *dbias, *scratch;
  Int32 seq_len, output_len, batch, input_size, output_size, kernel_size, dilation, ahead, stride, groups, activation;
};

/** Rows are 2·D long when complex, D otherwise. Scratch of the backward pass: a row. */
struct UnrollScan {
  const float *a, *b;
  const Int32 *lengths;
  const float *h0;
  float *h, *h_n;
  Int32 seq_len, batch, width, complex, constant, reverse;
};

struct UnrollScanBackward {
  const float *a;
  const Int32 *lengths;
  const float *h0, *h, *dh, *dh_n;
  float *db, *da, *dh0, *grad_norm, *scratch;
  Int32 seq_len, batch, width, complex, constant, reverse;
};

/** Returns the floats of scratch that the way back of a gated scan takes, for the number of threads now running. */
struct UnrollGatedScanMemory {
  Int32 seq_len, batch, width;
};

/** minLSTM's projected gates and candidate; `input` null: minGRU, whose gate stands in `forget`. */
struct UnrollGatedScan {
  const float *forget, *input, *hidden;
  const Int32 *lengths;
  const float *h0;
  float *h, *h_n;
  Int32 seq_len, batch, width, positive;
};

struct UnrollGatedScanBackward {
  const float *forget, *input, *hidden;
  const Int32 *lengths;
  const float *h0, *h, *dh, *dh_n;
  float *dforget, *dinput, *dhidden, *dh0, *grad_norm, *scratch;
  Int32 seq_len, batch, width, positive;
};

/** Returns the floats of scratch that a selective scan takes, for the number of threads now running. */
struct UnrollSelectiveScanMemory {
  Int32 seq_len, batch, width, states, chunk, backward;
};

struct UnrollSelectiveScan {
  const float *x, *delta, *a, *b, *c, *skip;
  const Int32 *lengths;
  const float *h0;
  float *y, *h_n, *kept, *scratch;
  Int32 seq_len, batch, width, states, reverse, chunk;
};

struct UnrollSelectiveScanBackward {
  const float *x, *delta, *a, *b, *c, *skip;
  const Int32 *lengths;
  const float *kept, *dy, *dh_n;
  float *dx, *ddelta, *da, *db, *dc, *dskip, *dh0, *grad_norm, *scratch;
  Int32 seq_len, batch, width, states, reverse, chunk;
};

/** Returns floats: of kept states (kind 0), of scratch forward (1) and backward (2), for the threads now running. */
struct UnrollChannelStatesMemory {
  Int32 seq_len, batch, width, states, kind;
};

struct UnrollChannelStates {
  const float *u, *a, *c;
  const Int32 *lengths;
  const float *h0;
  float *y, *h_n, *kept, *scratch;
  Int32 seq_len, batch, width, states;
};

struct UnrollChannelStatesBackward {
  const float *u, *a, *c;
  const Int32 *lengths;
  const float *kept, *dy;
  float *du, *da, *dc, *grad_norm, *scratch;
  Int32 seq_len, batch, width, states;
};

enum UnrollMemoryUpdate {
  UNROLL_UPDATE_ADD = 0,
  UNROLL_UPDATE_DELTA = 1,
  UNROLL_UPDATE_GENERAL = 2,
};

enum UnrollDecayOf {
  UNROLL_DECAY_NONE = 0,
  UNROLL_DECAY_HEAD = 1,
  UNROLL_DECAY_CHANNEL = 2,
};

/** Returns the floats of scratch that a matrix memory takes, for the number of threads now running. */
struct UnrollMatrixMemoryMemory {
  Int32 seq_len, batch, heads, key_size, value_size, update, normalised, chunk, backward;
};

struct UnrollMatrixMemory {
  const float *q, *k, *v, *decay, *strength, *a, *b, *bonus, *floor;
  const Int32 *lengths;
  const float *s0;
  float *o, *s_n, *kept, *scratch;
  Int32 seq_len, batch, heads, key_size, value_size, update, decay_of, normalised, reverse, chunk;
};

struct UnrollMatrixMemoryBackward {
  const float *q, *k, *v, *decay, *strength, *a, *b, *bonus, *floor;
  const Int32 *lengths;
  const float *kept, *dout, *ds_n;
  float *dq, *dk, *dv, *ddecay, *dstrength, *da, *db, *dbonus, *ds0, *grad_norm, *scratch;
  Int32 seq_len, batch, heads, key_size, value_size, update, decay_of, normalised, reverse, chunk;
};

/** Returns the floats of scratch that the CTC loss takes, for the number of threads now running. */
struct UnrollCtcMemory {
  Int32 seq_len, max_labels;
};

/** labels (B, max_labels), of which the first label_lengths[b] are read; `scale` multiplies the gradient. */
struct UnrollCtc {
  double scale;
  const float *logits;
  const Int32 *lengths, *labels, *label_lengths;
  float *losses, *dlogits, *scratch;
  Int32 seq_len, batch, classes, max_labels;
};

/** Returns the floats of scratch that a recurrence on projected inputs takes, for the number of threads now running. */
struct UnrollVariantMemory {
  Int32 cell, seq_len, batch, hidden_size;
};

/** VariantForward. `zoneout` counts where it has no masks. The cell state of sLSTM is c, n and m side by side. With `gains`
    an LSTM normalises what is projected too. */
struct UnrollVariantForward {
  double zoneout;
  const float *projected, *weight_hh, *bias_hh;
  const Int32 *lengths;
  const float *h0, *c0, *peephole, *gains, *gain_cell, *bias_cell;
  const float *state_mask, *update_mask, *zoneout_h, *zoneout_c;
  float *y, *h_n, *c_n, *gates, *cells, *read, *normed, *scratch;
  Int32 cell, seq_len, batch, hidden_size, reverse;
};

/** VariantBackward; `hidden_grad_norm` null: no report. dhidden may be dprojected where nothing stands between them. */
struct UnrollVariantBackward {
  double zoneout;
  const float *projected, *weight_hh, *bias_hh;
  const Int32 *lengths;
  const float *h0, *c0, *peephole, *gains, *gain_cell, *bias_cell;
  const float *state_mask, *update_mask, *zoneout_h, *zoneout_c;
  const float *y, *gates, *cells, *normed, *dy, *dh_n, *dc_n;
  float *dprojected, *dhidden, *dpeephole, *dgains, *dgain_cell, *dbias_cell, *dh0, *dc0;
  float *hidden_grad_norm, *cell_grad_norm, *gate_mean, *gate_saturation, *scratch;
  Int32 cell, seq_len, batch, hidden_size, reverse;
};

/** Returns the floats of `fields_scratch` that the way back takes, for the number of threads now running. */
struct UnrollLstmVariantMemory {
  Int32 seq_len, batch, input_size, hidden_size, ragged;
};

/** LstmVariantForward: an LSTM's UnrollRecurrentForward, with what is as in UnrollVariantForward. */
struct UnrollLstmVariantForward {
  double zoneout;
  const float *peephole, *update_mask, *zoneout_h, *zoneout_c;
  const float *weight_ih, *weight_hh, *bias_ih, *bias_hh;
  float *packed;
  const float *x;
  const Int32 *lengths;
  const float *h0, *c0;
  float *y, *h_n, *c_n, *cache, *scratch;
  Int32 seq_len, batch, input_size, hidden_size;
  Int32 reverse, version;
};

struct UnrollLstmVariantBackward {
  double zoneout;
  const float *peephole, *update_mask, *zoneout_h, *zoneout_c;
  float *dpeephole, *fields_scratch;
  const float *weight_ih, *weight_hh, *bias_ih, *bias_hh;
  float *packed;
  const float *x;
  const Int32 *lengths;
  const float *h0, *c0, *y;
  float *cache, *scratch;
  const float *dy, *dh_n, *dc_n;
  float *dx, *dweight_ih, *dweight_hh, *dbias_ih, *dbias_hh, *dh0, *dc0;
  float *hidden_grad_norm, *cell_grad_norm, *gate_mean, *gate_saturation;
  Int32 seq_len, batch, input_size, hidden_size;
  Int32 reverse, version;
};

/** F(name, struct, doubles, pointers, int32 numbers): the function is called unroll_<name>. */
#define UNROLL_FUNCTIONS(F)                                     \
  F(recurrent_memory, UnrollRecurrentMemory, 0, 0, 7)           \
  F(recurrent_forward, UnrollRecurrentForward, 0, 14, 7)        \
  F(recurrent_backward, UnrollRecurrentBackward, 0, 26, 7)      \
  F(gemm_memory, UnrollGemmMemory, 0, 0, 5)                     \
  F(gemm, UnrollGemm, 0, 5, 6)                                  \
  F(column_sums, UnrollColumnSums, 0, 2, 2)                     \
  F(softmax_cross_entropy, UnrollSoftmaxCrossEntropy, 1, 4, 2)  \
  F(dense_cross_entropy_memory, UnrollDenseCrossEntropyMemory, 0, 0, 5) \
  F(dense_cross_entropy, UnrollDenseCrossEntropy, 1, 9, 3)      \
  F(embedding, UnrollEmbedding, 0, 3, 2)                        \
  F(embedding_backward, UnrollEmbeddingBackward, 0, 3, 2)       \
  F(sum_of_squares, UnrollSumOfSquares, 0, 1, 1)                \
  F(scale, UnrollScale, 1, 1, 1)                                \
  F(adam_step, UnrollAdam, 6, 4, 1)                             \
  F(sgd_step, UnrollSgd, 2, 3, 2)                               \
  F(rmsprop_step, UnrollRmsprop, 4, 4, 1)                       \
  F(copy_columns, UnrollCopyColumns, 0, 2, 4)                   \
  F(add, UnrollAdd, 0, 3, 1)                                    \
  F(formula, UnrollFormula, 0, 22, 4)                           \
  F(activation, UnrollActivation, 0, 2, 2)                      \
  F(activation_backward, UnrollActivationBackward, 0, 4, 2)     \
  F(dropout, UnrollDropout, 1, 2, 5)                            \
  F(layer_norm, UnrollLayerNorm, 1, 6, 2)                       \
  F(layer_norm_backward, UnrollLayerNormBackward, 0, 8, 2)      \
  F(row_norm, UnrollRowNorm, 2, 4, 2)                           \
  F(row_norm_backward, UnrollRowNormBackward, 1, 6, 2)          \
  F(short_convolution, UnrollShortConvolution, 0, 6, 5)         \
  F(short_convolution_backward, UnrollShortConvolutionBackward, 0, 9, 5) \
  F(attention_memory, UnrollAttentionMemory, 0, 0, 4)           \
  F(attention, UnrollAttention, 0, 12, 14)                      \
  F(attention_backward, UnrollAttentionBackward, 0, 16, 14)     \
  F(convolution_memory, UnrollConvolutionMemory, 0, 0, 11)      \
  F(convolution, UnrollConvolution, 0, 5, 11)                   \
  F(convolution_backward, UnrollConvolutionBackward, 0, 8, 11)  \
  F(scan, UnrollScan, 0, 6, 6)                                  \
  F(scan_backward, UnrollScanBackward, 0, 11, 6)                \
  F(gated_scan_memory, UnrollGatedScanMemory, 0, 0, 3)          \
  F(gated_scan, UnrollGatedScan, 0, 7, 4)                       \
  F(gated_scan_backward, UnrollGatedScanBackward, 0, 14, 4)     \
  F(selective_scan_memory, UnrollSelectiveScanMemory, 0, 0, 6)  \
  F(selective_scan, UnrollSelectiveScan, 0, 12, 6)              \
  F(selective_scan_backward, UnrollSelectiveScanBackward, 0, 19, 6) \
  F(channel_states_memory, UnrollChannelStatesMemory, 0, 0, 5)  \
  F(channel_states, UnrollChannelStates, 0, 9, 4)               \
  F(channel_states_backward, UnrollChannelStatesBackward, 0, 11, 4) \
  F(matrix_memory_memory, UnrollMatrixMemoryMemory, 0, 0, 9)    \
  F(matrix_memory, UnrollMatrixMemory, 0, 15, 10)               \
  F(matrix_memory_backward, UnrollMatrixMemoryBackward, 0, 24, 10) \
  F(variant_memory, UnrollVariantMemory, 0, 0, 4)               \
  F(variant_forward, UnrollVariantForward, 1, 22, 5)            \
  F(variant_backward, UnrollVariantBackward, 1, 34, 5)          \
  F(lstm_variant_memory, UnrollLstmVariantMemory, 0, 0, 5)      \
  F(lstm_variant_forward, UnrollLstmVariantForward, 1, 18, 6)   \
  F(lstm_variant_backward, UnrollLstmVariantBackward, 1, 32, 6) \
  F(ctc_memory, UnrollCtcMemory, 0, 0, 2)                       \
  F(ctc, UnrollCtc, 1, 7, 4)

/** Room that callers have for the struct of any function, and the most pointers of one. */
#define UNROLL_CALL_BYTES 512
#define UNROLL_CALL_POINTERS 40

extern "C" {

#define UNROLL_DECLARE(name, Call, doubles, pointers, integers)                                             \
  static_assert(sizeof(Call) - (8 * doubles + sizeof(void *) * pointers + 4 * integers) < 8, "rule 2");     \
  static_assert(sizeof(Call) <= UNROLL_CALL_BYTES && pointers <= UNROLL_CALL_POINTERS, "room of a call");   \
  double unroll_##name(const Call *call);
UNROLL_FUNCTIONS(UNROLL_DECLARE)
#undef UNROLL_DECLARE

/**
 * Threads that calls use, the caller's own included. Native: they are created here. WASM: they are the host's workers,
 * each of which calls unroll_thread_run(index), index 1 to count-1, which returns after unroll_threads_stop.
 */
void unroll_threads_start(Int32 count);
void unroll_thread_run(Int32 index);
void unroll_threads_stop(void);

/** Of the time that calls of all threads took since the start, the share in which the caller did everybody's part. */
double unroll_threads_alone(void);
}
