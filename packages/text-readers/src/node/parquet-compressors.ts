import * as zlib from 'node:zlib';
import type { ParquetCompressors } from '../parquet-rows.ts';

/** Node has zstd from 22.15 on; its types here are those of Node 20. */
type Decompress = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array;

/**
 * The codecs that Node brings: gzip, Brotli and, where it has it, zstd. No page becomes longer than its header says.
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
