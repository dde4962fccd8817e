// ONNX models as bytes: the messages of onnx.proto that a graph of layers needs, IR version 8, opset 17.
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

const IR_VERSION = 8;
const OPSET = 17;
/** TensorProto.DataType */
export const DATA_TYPES = { float: 1, int32: 6, int64: 7, bool: 9 } as const;

/** Numbers alone are whole ones. */
export type Attribute =
  | number
  | { float: number }
  | { floats: readonly number[] }
  | string
  | readonly number[]
  | readonly string[];

export interface GraphNode {
  op: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Readonly<Record<string, Attribute>>;
}

export interface Initializer {
  name: string;
  shape: readonly number[];
  data: Float32Array | BigInt64Array;
}

/** A graph's input or output; a dimension by name is told when it runs. */
export interface Port {
  name: string;
  type: keyof typeof DATA_TYPES;
  shape: readonly (number | string)[];
}

export interface Graph {
  name: string;
  nodes: readonly GraphNode[];
  initializers: readonly Initializer[];
  inputs: readonly Port[];
  outputs: readonly Port[];
}

export interface About {
  producer: string;
  version: string;
  text: string;
}

export function encodeModel(graph: Graph, { producer, version, text }: About): Uint8Array {
  const model = new BinaryWriter();
  model.tag(1, WireType.Varint).int64(IR_VERSION);
  model.tag(2, WireType.LengthDelimited).string(producer);
  model.tag(3, WireType.LengthDelimited).string(version);
  model.tag(6, WireType.LengthDelimited).string(text);
  within(model, 7, writer => writeGraph(writer, graph));
  within(model, 8, writer => writer.tag(2, WireType.Varint).int64(OPSET));
  return model.finish();
}

function within(writer: BinaryWriter, field: number, write: (writer: BinaryWriter) => unknown): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function writeGraph(writer: BinaryWriter, { name, nodes, initializers, inputs, outputs }: Graph): void {
  for (const node of nodes) within(writer, 1, inner => writeNode(inner, node));
  text(writer, 2, name);
  for (const each of initializers) within(writer, 5, inner => writeTensor(inner, each));
  for (const port of inputs) within(writer, 11, inner => writePort(inner, port));
  for (const port of outputs) within(writer, 12, inner => writePort(inner, port));
}

function writeNode(writer: BinaryWriter, { op, inputs, outputs, attributes }: GraphNode): void {
  for (const input of inputs) text(writer, 1, input);
  for (const output of outputs) text(writer, 2, output);
  text(writer, 3, outputs[0]!);
  text(writer, 4, op);
  for (const [name, value] of Object.entries(attributes))
    within(writer, 5, inner => writeAttribute(inner, name, value));
}

/** The last field names the kind of value: 1 float, 2 int, 3 string, 6 floats, 7 ints, 8 strings. */
function writeAttribute(writer: BinaryWriter, name: string, value: Attribute): void {
  text(writer, 1, name);
  const kind = (number: number) => writer.tag(20, WireType.Varint).int32(number);
  if (typeof value === 'number') {
    writer.tag(3, WireType.Varint).int64(value);
    kind(2);
  } else if (typeof value === 'string') {
    writer.tag(4, WireType.LengthDelimited).string(value);
    kind(3);
  } else if ('float' in value) {
    writer.tag(2, WireType.Bit32).float(value.float);
    kind(1);
  } else if ('floats' in value) {
    for (const each of value.floats) writer.tag(7, WireType.Bit32).float(each);
    kind(6);
  } else if (value.every(each => typeof each === 'string')) {
    for (const each of value) writer.tag(9, WireType.LengthDelimited).string(each);
    kind(8);
  } else {
    for (const each of value) writer.tag(8, WireType.Varint).int64(each as number);
    kind(7);
  }
}

function writeTensor(writer: BinaryWriter, { name, shape, data }: Initializer): void {
  for (const size of shape) writer.tag(1, WireType.Varint).int64(size);
  writer.tag(2, WireType.Varint).int32(DATA_TYPES[data instanceof Float32Array ? 'float' : 'int64']);
  text(writer, 8, name);
  // raw data are little-endian, as every machine is that this runs on
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  writer.tag(9, WireType.LengthDelimited).bytes(bytes);
}

function writePort(writer: BinaryWriter, { name, type, shape }: Port): void {
  text(writer, 1, name);
  within(writer, 2, typed =>
    within(typed, 1, tensor => {
      tensor.tag(1, WireType.Varint).int32(DATA_TYPES[type]);
      within(tensor, 2, dimensions => {
        for (const size of shape)
          within(dimensions, 1, dimension => {
            if (typeof size === 'number') dimension.tag(1, WireType.Varint).int64(size);
            else text(dimension, 2, size);
          });
      });
    }),
  );
}
