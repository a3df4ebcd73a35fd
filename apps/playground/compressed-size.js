// `pnpm --filter @vastmax/playground size`: bytes of the built page's files, compressed.
import { compressedFiles, compressedScriptBytes } from './page-files.js';

for (const { name, bytes } of compressedFiles()) console.log(`${String(bytes).padStart(9)}  ${name}`);
console.log(`${String(compressedScriptBytes()).padStart(9)}  bytes of JavaScript, compressed with gzip`);
