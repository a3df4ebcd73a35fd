// Parquet files of some 140 bytes with one column of strings, whose page claims what it does not hold.

import { ByteWriter } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js';

export interface ClaimedPage {
  /** In the footer. */
  readonly rows: number;
  /** In the header of the page. */
  readonly values: number;
  /** Indices into a dictionary of one string: the width of their bits, and runs. */
  readonly body: readonly number[];
}

/** A run of equal indices: its header is twice its length. */
export function run(length: number): number[] {
  const bytes: number[] = [];
  let rest = 2n * BigInt(length);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest), 0];
}

export function parquetOf({ rows, values, body }: ClaimedPage): Uint8Array {
  const writer = new ByteWriter();
  writer.appendUint32(0x31524150);
  const page = (type: number, bytes: readonly number[], header: object): void => {
    serializeTCompactProtocol(writer, { field_1: type, field_2: bytes.length, field_3: bytes.length, ...header });
    writer.appendBytes(Uint8Array.from(bytes));
  };
  const dictionary = writer.offset;
  page(2, [1, 0, 0, 0, 0x61], { field_7: { field_1: 1, field_2: 0 } });
  const data = writer.offset;
  page(0, body, { field_5: { field_1: values, field_2: 8, field_3: 3, field_4: 3 } });
  const size = BigInt(writer.offset - dictionary);
  writeMetadata(writer, {
    version: 2,
    created_by: 'test',
    schema: [
      { name: 'root', num_children: 1 },
      { name: 'text', type: 'BYTE_ARRAY', repetition_type: 'REQUIRED', converted_type: 'UTF8' },
    ],
    num_rows: BigInt(rows),
    row_groups: [
      {
        columns: [
          {
            file_offset: BigInt(dictionary),
            meta_data: {
              type: 'BYTE_ARRAY',
              encodings: ['PLAIN', 'RLE_DICTIONARY'],
              path_in_schema: ['text'],
              codec: 'UNCOMPRESSED',
              num_values: BigInt(rows),
              total_uncompressed_size: size,
              total_compressed_size: size,
              data_page_offset: BigInt(data),
              dictionary_page_offset: BigInt(dictionary),
            },
          },
        ],
        total_byte_size: size,
        num_rows: BigInt(rows),
      },
    ],
    metadata_length: 0,
  });
  writer.appendUint32(0x31524150);
  return new Uint8Array(writer.getBuffer());
}
