/** Texts to learn from: the one that comes with the page, and one that a person gives. */

const maxBytes = 200 * 2 ** 20;

/** Read once, as soon as the page is there: afterwards it needs no network. */
export async function loadSpeeches(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok || response.body === null)
    throw new Error(`The speeches could not be loaded: ${url} answers ${response.status}`);
  return await new Response(response.body.pipeThrough(new DecompressionStream('gzip'))).text();
}

/** @throws Error that says what is wrong with the file. */
export async function readTextFile(file: Blob, name: string): Promise<string> {
  if (file.size === 0) throw new Error(`${name} is empty; give a text file`);
  if (file.size > maxBytes)
    throw new Error(
      `${name} has ${Math.round(file.size / 2 ** 20)} MiB, and this page reads at most ${maxBytes / 2 ** 20}; the vastmax command reads texts of any length`,
    );
  const bytes = new Uint8Array(await file.arrayBuffer());
  const zero = bytes.indexOf(0);
  if (zero !== -1)
    throw new Error(`${name} is no text file: byte ${zero} is zero. Give a text in UTF-8, such as a .txt`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`${name} is no text in UTF-8; save it in that encoding`);
  }
}
