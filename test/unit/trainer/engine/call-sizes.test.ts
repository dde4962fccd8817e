import assert from 'node:assert/strict';
import { checkSizes } from '../../../../src/trainer/engine/call-sizes.ts';
import { OPERANDS } from '../../../../src/trainer/engine/calls.ts';

const floats = (length: number, offset = 0) => ({ data: new Float32Array(length), offset });
const ints = (values: number[], offset = 0) => ({ data: Int32Array.from(values), offset });

type Call = [
  name: string,
  kernel: string,
  operands: Parameters<typeof checkSizes>[1],
  integers: number[],
  message: RegExp | null,
];

/** A cell with fields over 2 steps of 1 row of 1 unit, without the operands at the places `left`. */
function variantCall(kernel: 'variant_forward' | 'variant_backward', cell: number, left: readonly number[]) {
  const operands = Array.from({ length: OPERANDS[kernel].length }, (_, place) =>
    place === 3 || left.includes(place) ? null : floats(30),
  );
  return [kernel, operands, [cell, 2, 1, 1, 0]] as const;
}

const [LSTM, GRU, S_LSTM] = [2, 3, 8];
const variantCalls: Call[] = (
  [
    ['norms without the bias of the cell', 'variant_forward', LSTM, [9], /operand 9 is not given/],
    ['norms without the gain of the cell', 'variant_forward', LSTM, [8], /operand 8 is not given/],
    ['norms without the gain of the product', 'variant_forward', LSTM, [7], /operand 7 is not given/],
    ['a cell without norms', 'variant_forward', LSTM, [7, 8, 9, 20], null],
    ['norms back without the bias of the cell', 'variant_backward', LSTM, [9], /operand 9 is not given/],
    ['norms back without what they normalised', 'variant_backward', LSTM, [0], /operand 0 is not given/],
    ['norms back without what they made', 'variant_backward', LSTM, [17], /operand 17 is not given/],
    ['an LSTM back without its cells', 'variant_backward', LSTM, [7, 8, 9, 16], /operand 16 is not given/],
    ['an sLSTM back without its cells', 'variant_backward', S_LSTM, [7, 8, 9, 16], /operand 16 is not given/],
    ['a GRU back, which has none', 'variant_backward', GRU, [7, 8, 9, 16, 17], null],
  ] as const
).map(([name, kernel, cell, left, message]) => [name, ...variantCall(kernel, cell, left), message] as never);

describe('sizes of kernel calls', () => {
  const calls: Call[] = [
    [
      'a product that fits',
      'gemm',
      [floats(6), floats(12), null, floats(8), floats(0)],
      [2, 4, 3, 0, 0, 0],
      null,
    ],
    [
      'one number too few',
      'gemm',
      [floats(6), floats(11), null, floats(8), floats(0)],
      [2, 4, 3, 0, 0, 0],
      /gemm: operand 1 has room for 11 numbers, 12 are needed\.$/,
    ],
    [
      'an offset that leaves too few',
      'gemm',
      [floats(6, 1), floats(12), null, floats(8), floats(0)],
      [2, 4, 3, 0, 0, 0],
      /operand 0 has room for 5/,
    ],
    ['an offset before the beginning', 'scale', [floats(6, -1)], [6], /operand 0/],
    ['sizes beyond 32 bits', 'scale', [floats(6)], [2 ** 31], /a size is 2147483648/],
    ['a size that is no number', 'scale', [floats(6)], [Number.NaN], /a size is NaN/],
    ['half a row', 'column_sums', [floats(6), floats(3)], [1.5, 2], /a size is 1\.5/],
    [
      'a product beyond 32 bits',
      'gemm',
      [floats(6), floats(6), null, floats(6), null],
      [2 ** 20, 2 ** 20, 1, 0, 0, 0],
      /operand 0 has room for 6 numbers, 1048576/,
    ],
    [
      'an id beyond the table',
      'embedding',
      [ints([0, 3]), floats(6), floats(4)],
      [2, 2],
      /embedding: index 3 of row 1 is not below 3\.$/,
    ],
    [
      'an id below 0',
      'embedding_backward',
      [ints([0, -1]), floats(4), floats(6)],
      [2, 2],
      /index -1 of row 1/,
    ],
    [
      'a class beyond the logits',
      'softmax_cross_entropy',
      [floats(6), ints([0, 3]), null, null],
      [2, 3],
      /index 3 of row 1 is not below 3/,
    ],
    [
      'the same where its weight is 0',
      'softmax_cross_entropy',
      [floats(6), ints([0, 3]), { data: Float32Array.of(1, 0), offset: 0 }, null],
      [2, 3],
      null,
    ],
    [
      'a sequence longer than its batch',
      'recurrent_forward',
      [
        floats(4),
        floats(4),
        null,
        null,
        floats(0),
        floats(12),
        ints([3, 4]),
        null,
        null,
        floats(12),
        floats(4),
        null,
        null,
        floats(0),
      ],
      [0, 3, 2, 2, 2, 0, 0],
      /recurrent_forward: index 4 of row 1 is not below 4/,
    ],
    [
      'a dilation of 2³¹',
      'convolution',
      [floats(4), floats(3), floats(1), floats(4), null],
      [4, 4, 1, 1, 1, 3, 2 ** 31, 0, 1, 1, -1],
      /a size is 2147483648/,
    ],
    [
      'no groups',
      'convolution',
      [floats(4), floats(3), floats(1), floats(4), null],
      [4, 4, 1, 1, 1, 3, 1, 0, 1, 0, -1],
      /cut into 0 groups/,
    ],
    [
      'keys beyond the sequence',
      'attention',
      [floats(8), floats(16), ints([5]), null, null, null, null, null, floats(8), null, null, floats(0)],
      [4, 4, 1, 1, 1, 2, 2, 4, 0, 1, 0, 1, 0, 1],
      /index 5 of row 0 is not below 5/,
    ],
    [
      'a product without its place',
      'gemm',
      [floats(6), floats(12), null, null, floats(0)],
      [2, 4, 3, 0, 0, 0],
      /gemm: operand 3 is not given, and it is needed\.$/,
    ],
    [
      'relative positions without their keys',
      'attention',
      [floats(8), floats(16), null, null, null, null, floats(8), null, floats(8), null, null, floats(0)],
      [4, 4, 1, 1, 1, 2, 2, 4, 0, 1, 0, 1, 0, 1],
      /attention: operand 7 is not given/,
    ],
    [
      'an activation that needs its output',
      'activation_backward',
      [floats(2), null, floats(2), floats(2)],
      [2, 2],
      /operand 1 is not given/,
    ],
    ['the input of a gelu', 'activation_backward', [floats(2), null, floats(2), floats(2)], [1, 2], null],
    [
      'heads that cannot share their keys',
      'attention',
      [floats(24), floats(32), null, null, null, null, null, null, floats(24), null, null, null],
      [4, 4, 1, 3, 2, 2, 6, 8, 0, 1, 0, 1, 0, 1],
      /3 heads cannot share 2 heads of keys/,
    ],
    [
      'relative positions that are too few',
      'attention',
      [floats(8), floats(16), null, null, null, null, floats(8), floats(7), floats(8), null, null, null],
      [4, 4, 1, 1, 1, 2, 2, 4, 0, 1, 0, 1, 0, 1],
      /operand 7 has room for 7 numbers, 8 are needed/,
    ],
    [
      'a scan that fits',
      'scan',
      [floats(12), floats(12), ints([3, 0]), null, floats(12), floats(4)],
      [3, 2, 1, 1, 0, 0],
      null,
    ],
    [
      'a scan of pairs with room for their real parts',
      'scan',
      [floats(12), floats(6), null, null, floats(12), floats(4)],
      [3, 2, 1, 1, 0, 0],
      /scan: operand 1 has room for 6 numbers, 12 are needed/,
    ],
    [
      'a scan of a sequence longer than its batch',
      'scan_backward',
      [floats(6), ints([3, 4]), null, floats(6), floats(6), null, floats(6), null, null, null, floats(2)],
      [3, 2, 1, 0, 0, 0],
      /scan_backward: index 4 of row 1 is not below 4/,
    ],
    ['states kept every 0 steps', 'selective_scan_memory', [], [3, 2, 1, 4, 0, 0], /kept every 0 steps/],
    [
      'a selective scan with one kept state too few',
      'selective_scan',
      [6, 6, 4, 24, 24, 1, 0, 8, 6, 8, 15, 0].map((room, i) => (i === 6 ? null : floats(room))),
      [3, 2, 1, 4, 0, 2],
      /selective_scan: operand 10 has room for 15 numbers, 16 are needed/,
    ],
    [
      'channel states with half of a',
      'channel_states',
      [floats(6), floats(4), floats(8), null, null, floats(6), floats(16), null, null],
      [3, 2, 1, 4],
      /channel_states: operand 1 has room for 4 numbers, 8/,
    ],
    [
      'a memory that fits, with its divisor',
      'matrix_memory',
      [12, 12, 18, 0, 0, 0, 0, 0, 6, 0, 16, 18, 16, 32, 0].map((room, i) =>
        [3, 4, 5, 6, 7, 9].includes(i) ? null : floats(room),
      ),
      [3, 2, 1, 2, 3, 0, 0, 1, 0, 2],
      null,
    ],
    [
      'a memory without room for its divisor',
      'matrix_memory',
      [12, 12, 18, 0, 0, 0, 0, 0, 6, 0, 16, 18, 12, 32, 0].map((room, i) =>
        [3, 4, 5, 6, 7, 9].includes(i) ? null : floats(room),
      ),
      [3, 2, 1, 2, 3, 0, 0, 1, 0, 2],
      /matrix_memory: operand 12 has room for 12 numbers, 16/,
    ],
    [
      'a row too few of scales',
      'row_norm',
      [floats(6), floats(3), floats(6), floats(1)],
      [2, 3],
      /row_norm: operand 3 has room for 1 numbers, 2/,
    ],
    [
      'inputs before the first one that are too few',
      'short_convolution',
      [floats(6), floats(3), floats(6), floats(2), floats(6), floats(6)],
      [3, 1, 2, 3, 1],
      /short_convolution: operand 1 has room for 3 numbers, 4/,
    ],
    [
      'a short convolution of no taps',
      'short_convolution',
      [floats(6), floats(0), floats(0), floats(2), floats(6), floats(0)],
      [3, 1, 2, 0, 1],
      /has 0 taps/,
    ],
    ...(
      [
        ['a formula that fits', [1, 12, 0, 1], null],
        ['a formula that reads an input that is not there', [1, 12, 0, 2], /formula: step 0/],
        ['a formula that writes to an input', [1, 0, 0, 1], /formula: step 0/],
        ['a formula with a register too many', [1, 40, 0, 1], /formula: step 0/],
        ['a formula with an unknown verb', [13, 12, 0, 1], /formula: step 0/],
      ] as [string, number[], RegExp | null][]
    ).map(([name, program, message]): (typeof calls)[number] => [
      name,
      'formula',
      [
        ints(program),
        floats(2),
        ...[floats(6), floats(3), ...Array<null>(10).fill(null)],
        ...[floats(6), ...Array<null>(7).fill(null)],
      ],
      [6, 3, 1, 2],
      message,
    ]),
    [
      'a table that begins before its array',
      'embedding_backward',
      [ints([0, 1]), floats(4), floats(6, -1)],
      [2, 2],
      /operand 2 has room for 7/,
    ],
    [
      'weights of a later cell without room',
      'recurrent_forward',
      [floats(4), floats(3), ...Array<null>(2).fill(null), ...Array.from({ length: 10 }, () => floats(9))],
      [7, 1, 1, 2, 2, 0, 1],
      /operand 1 has room for 3 numbers, 4 are needed/,
    ],
    [
      'gates to report without room',
      'recurrent_backward',
      [
        ...Array.from({ length: 6 }, () => floats(99)),
        null,
        ...Array.from({ length: 16 }, () => floats(99)),
      ].concat(floats(3), floats(7), floats(8)),
      [2, 2, 1, 2, 2, 0, 1],
      /operand 24 has room for 7 numbers, 8 are needed/,
    ],
    ...variantCalls,
    [
      'gates of no units to report without room',
      'variant_backward',
      [
        ...Array.from({ length: 31 }, (_, place) => (place === 3 ? null : floats(20))),
        floats(2),
        floats(20),
        floats(20),
      ],
      [GRU, 1, 0, 0, 0],
      /operand 31 has room for 2 numbers, 3 are needed/,
    ],
    ['an alignment without its blank', 'ctc', [], [6, 5, 0, 0], /over 0 classes/],
    ['memory for no groups', 'convolution_memory', [], [4, 4, 1, 1, 1, 3, 1, 0, 1, 0, 0], /into 0 groups/],
    ['a memory without keys', 'matrix_memory_memory', [], [2, 1, 1, 0, 2, 0, 0, 1, 0], /keys of 0 numbers/],
    [
      'a backward pass of memories over no steps',
      'matrix_memory_backward',
      [],
      [0, 1, 1, 2, 2, 0, 0, 0, 0, 1],
      /no such pass over 0 steps/,
    ],
    ['a selective scan back over no steps', 'selective_scan_backward', [], [0, 1, 1, 2, 0, 1], /0 steps/],
    ['states of no channels', 'channel_states_backward', [], [2, 1, 0, 2], /0 channels/],
    ['a loss of no classes', 'dense_cross_entropy_memory', [], [2, 0, 0, 0, 0], /0 classes/],
    ['memory for half a step', 'gated_scan_memory', [], [0.5, 1, 2], /a size is 0\.5/],
    [
      'a stride that leads out',
      'copy_columns',
      [floats(8), floats(8)],
      [2, 3, 6, 3],
      /operand 0 has room for 8 numbers, 9/,
    ],
  ];
  for (const [name, kernel, operands, integers, message] of calls)
    it(`${message ? 'refuses' : 'passes'} ${name}`, () => {
      if (message) assert.throws(() => checkSizes(kernel, operands, integers), message);
      else checkSizes(kernel, operands, integers);
    });

  it('refuses what does not fit after the same sizes have passed', () => {
    const call = (targets: number[], logits = floats(6), weights: ReturnType<typeof floats> | null = null) =>
      checkSizes('softmax_cross_entropy', [logits, ints(targets), weights, null], [2, 3]);
    call([0, 2]);
    call([0, 2]);
    assert.throws(() => call([0, 3]), /index 3 of row 1 is not below 3/);
    assert.throws(() => call([-1, 0]), /index -1 of row 0 is not below 3/);
    assert.throws(() => call([0, 2], floats(5)), /operand 0 has room for 5 numbers, 6 are needed/);
    assert.throws(() => call([0, 2], floats(6, 1)), /operand 0 has room for 5 numbers, 6 are needed/);
    assert.throws(() => call([0]), /operand 1 has room for 1 numbers, 2 are needed/);
    assert.throws(() => call([0, 2], floats(6), floats(1)), /operand 2 has room for 1 numbers, 2 are needed/);
    call([0, 9], floats(6), { data: Float32Array.of(1, 0), offset: 0 });
  });

  for (const [kernel, { length }] of Object.entries(OPERANDS))
    if (length > 0)
      it(`refuses operands without room: ${kernel}`, () => {
        const operands = Array.from({ length }, () => floats(0));
        const sizes = Array<number>(14).fill(2);
        assert.throws(() => checkSizes(kernel, operands, sizes), /has room for 0 numbers, \d+ are needed/);
      });
});
