import * as zlib from 'node:zlib';
import type { ParquetCompressors } from '../parquet-rows.ts';

/**
 * The type of a synchronous decompression function. zstd exists from Node 22.15 on, and the types used here are those
 * of Node 20.
 */
type Decompress = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array;

/**
 * The codecs that Node includes: gzip, Brotli and, if available, zstd. The output of a page is limited to the length in
 * its header.
 */
export function nodeCompressors(): ParquetCompressors {
  const limited =
    (decompress: Decompress) =>
    (bytes: Uint8Array, length: number): Uint8Array =>
      decompress(bytes, { maxOutputLength: Math.max(1, length) });
  const zstd: unknown = Reflect.get(zlib, 'zstdDecompressSync');
  return {
    GZIP: limited(zlib.gunzipSync),
    BROTLI: limited(zlib.brotliDecompressSync),
    ...(typeof zstd === 'function' ? { ZSTD: limited(zstd as Decompress) } : {}),
  };
}
