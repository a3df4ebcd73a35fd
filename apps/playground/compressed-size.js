// `pnpm --filter @vastmax/playground size`: bytes of JavaScript and of all files of dist/, compressed as servers do.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const folder = join(import.meta.dirname, 'dist');
const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => ({
    name,
    bytes: gzipSync(readFileSync(join(parentPath, name)), { level: 9 }).length,
  }));
for (const { name, bytes } of files) console.log(`${String(bytes).padStart(9)}  ${name}`);
const script = files.filter(({ name }) => name.endsWith('.js')).reduce((sum, { bytes }) => sum + bytes, 0);
console.log(`${String(script).padStart(9)}  bytes of JavaScript, compressed with gzip`);
