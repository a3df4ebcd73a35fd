/**
 * The messages of onnx.proto (https://github.com/onnx/onnx, IR version 8) that a model here consists of, as bytes. The
 * field numbers are written out: there are some forty, and a schema with its reflection would be a hundred times their
 * size. Weights are not here: what stands before the bytes of each is made apart, so that they can be streamed.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Attribute, Graph, GraphNode, GraphValue } from './graph.ts';
import { dataTypes, type OnnxTensor } from './tensors.ts';

/** The operator set of all graphs, and the version of the format that came with it (ONNX 1.12). */
export const opset = 17;
const irVersion = 8;

/** A field of bytes that `fill` writes. */
function message(writer: BinaryWriter, field: number, fill: (writer: BinaryWriter) => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  fill(writer);
  writer.join();
}

function string(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function int(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value);
}

function entry(writer: BinaryWriter, field: number, key: string, value: string): void {
  message(writer, field, (own) => {
    string(own, 1, key);
    string(own, 2, value);
  });
}

/** ModelProto without its graph. */
export function encodeModel(metadata: Readonly<Record<string, string>>, producerVersion: string): Uint8Array {
  const writer = new BinaryWriter();
  int(writer, 1, irVersion);
  string(writer, 2, 'vastmax');
  string(writer, 3, producerVersion);
  message(writer, 8, (own) => {
    string(own, 1, '');
    int(own, 2, opset);
  });
  for (const [key, value] of Object.entries(metadata)) entry(writer, 14, key, value);
  return writer.finish();
}

/** The tag and length of ModelProto.graph. */
export function encodeGraphHead(bytes: number): Uint8Array {
  return new BinaryWriter().tag(7, WireType.LengthDelimited).uint32(bytes).finish();
}

/** GraphProto without its weights. */
export function encodeGraph({ nodes, inputs, outputs }: Graph, name: string): Uint8Array {
  const writer = new BinaryWriter();
  for (const node of nodes)
    message(writer, 1, (own) => {
      encodeNode(own, node);
    });
  string(writer, 2, name);
  for (const value of inputs)
    message(writer, 11, (own) => {
      encodeValue(own, value);
    });
  for (const value of outputs)
    message(writer, 12, (own) => {
      encodeValue(own, value);
    });
  return writer.finish();
}

function encodeNode(writer: BinaryWriter, { operator, inputs, outputs, attributes }: GraphNode): void {
  for (const input of inputs) string(writer, 1, input);
  for (const output of outputs) string(writer, 2, output);
  string(writer, 3, outputs[0]!);
  string(writer, 4, operator);
  for (const [name, attribute] of Object.entries(attributes))
    message(writer, 5, (own) => {
      encodeAttribute(own, name, attribute);
    });
}

function encodeAttribute(writer: BinaryWriter, name: string, attribute: Attribute): void {
  string(writer, 1, name);
  if ('float' in attribute) {
    writer.tag(2, WireType.Bit32).float(attribute.float);
    int(writer, 20, 1);
  } else if ('int' in attribute) {
    int(writer, 3, attribute.int);
    int(writer, 20, 2);
  } else if ('string' in attribute) {
    string(writer, 4, attribute.string);
    int(writer, 20, 3);
  } else {
    for (const value of attribute.ints) int(writer, 8, value);
    int(writer, 20, 7);
  }
}

function encodeValue(writer: BinaryWriter, { name, type, shape, description }: GraphValue): void {
  string(writer, 1, name);
  message(writer, 2, (ofType) => {
    message(ofType, 1, (tensor) => {
      int(tensor, 1, dataTypes[type]);
      message(tensor, 2, (ofShape) => {
        for (const size of shape)
          message(ofShape, 1, (dimension) => {
            if (typeof size === 'number') int(dimension, 1, size);
            else string(dimension, 2, size);
          });
      });
    });
  });
  string(writer, 3, description);
}

/** Where a tensor's bytes are in the file of weights. */
export interface TensorPlace {
  readonly file: string;
  readonly offset: number;
}

/**
 * A weight as a field of GraphProto: all of it for one whose bytes are in another file, else what stands before them.
 */
export function encodeTensorHead({ name, type, shape, bytes }: OnnxTensor, place?: TensorPlace): Uint8Array {
  const tensor = new BinaryWriter();
  for (const size of shape) int(tensor, 1, size);
  int(tensor, 2, dataTypes[type]);
  string(tensor, 8, name);
  if (place === undefined) tensor.tag(9, WireType.LengthDelimited).uint32(bytes);
  else {
    entry(tensor, 13, 'location', place.file);
    entry(tensor, 13, 'offset', String(place.offset));
    entry(tensor, 13, 'length', String(bytes));
    int(tensor, 14, 1);
  }
  const head = tensor.finish();
  const length = head.length + (place === undefined ? bytes : 0);
  return new BinaryWriter().tag(5, WireType.LengthDelimited).uint32(length).raw(head).finish();
}
