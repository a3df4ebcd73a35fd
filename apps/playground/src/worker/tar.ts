/**
 * A folder of files as one: the tar format (POSIX ustar). Unlike zip it needs no checksum of the contents, so that files
 * of gigabytes are put together and taken apart without being read.
 */
const block = 512;
const fields = {
  name: [0, 100],
  mode: [100, 8],
  size: [124, 12],
  time: [136, 12],
  sum: [148, 8],
  magic: [257, 8],
} as const;

/** @param files of less than 8 GiB, with short names. */
export function createTar(files: Iterable<readonly [string, Blob]>): Blob {
  const parts: BlobPart[] = [];
  for (const [name, file] of files) parts.push(headerOf(name, file.size), file, new Uint8Array(padding(file.size)));
  return new Blob([...parts, new Uint8Array(2 * block)], { type: 'application/x-tar' });
}

/** @throws Error for a file that is no tar. */
export async function readTar(tar: Blob): Promise<[string, Blob][]> {
  const files: [string, Blob][] = [];
  for (let at = 0; at + block <= tar.size;) {
    const header = new Uint8Array(await tar.slice(at, at + block).arrayBuffer());
    if (header.every((byte) => byte === 0)) break;
    const text = ([first, length]: readonly [number, number]): string =>
      new TextDecoder().decode(header.subarray(first, first + length)).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(fields.size), 8);
    if (!text(fields.magic).startsWith('ustar') || !Number.isSafeInteger(size))
      throw new Error(`This is no tar file: byte ${at} begins no header`);
    const isFile = header[156] === 0 || header[156] === 48;
    if (isFile) files.push([text(fields.name), tar.slice(at + block, at + block + size)]);
    at += block + size + padding(size);
  }
  return files;
}

function headerOf(name: string, size: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(block);
  const put = ([first]: readonly [number, number], text: string): void => {
    header.set(new TextEncoder().encode(text), first);
  };
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;
  put(fields.name, name);
  put(fields.mode, octal(0o644, 8));
  put(fields.size, octal(size, 12));
  put(fields.time, octal(Math.floor(Date.now() / 1000), 12));
  put(fields.magic, 'ustar\u000000');
  header[156] = 48;
  header.fill(32, fields.sum[0], fields.sum[0] + fields.sum[1]);
  put(
    fields.sum,
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      7,
    )} `,
  );
  return header;
}

function padding(size: number): number {
  return (block - (size % block)) % block;
}
