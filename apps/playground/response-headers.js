/**
 * What a server sends with every file of the page. The first two make the page cross-origin isolated, which threads
 * need; the policy allows the page's own files, WebAssembly, and the threads of its backend, whose code is a blob.
 *
 * @type {Readonly<Record<string, string>>}
 */
export const responseHeaders = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self'; " +
    "style-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'none'",
};
