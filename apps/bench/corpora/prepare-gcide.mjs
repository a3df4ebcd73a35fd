// A corpus of more than 100,000 word types from Debian's dict-gcide, which any Debian machine can fetch:
//
//     apt-get download dict-gcide && dpkg-deb -x dict-gcide_*.deb gcide
//     node apps/bench/corpora/prepare-gcide.mjs gcide/usr/share/dictd/gcide.dict.dz FOLDER
//
// Writes FOLDER/train.txt and FOLDER/valid.txt: a paragraph a line, words in lower case and punctuation marks between spaces, what occurs once in the
// training text replaced by <unk>. Every 40th paragraph is held out.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, exit, stderr, stdout } from 'node:process';
import { gunzipSync } from 'node:zlib';

const [source, folder] = argv.slice(2);
if (source === undefined || folder === undefined) {
  stderr.write('usage: node apps/bench/corpora/prepare-gcide.mjs gcide.dict.dz FOLDER\n');
  exit(2);
}
// A .dz file is gzip with an index in its header.
const bytes = readFileSync(source);
const text = (source.endsWith('z') ? gunzipSync(bytes) : bytes).toString('utf8');
const paragraphs = text.split(/\n\s*\n/).filter((paragraph) => paragraph.trim() !== '');
const words = paragraphs.map(
  (paragraph) => paragraph.toLowerCase().match(/[\p{L}\p{M}\p{N}']+|[^\s\p{L}\p{M}\p{N}]/gu) ?? [],
);
const isHeldOut = (index) => index % 40 === 7;

const counts = new Map();
let tokens = 0;
for (const [index, line] of words.entries()) {
  if (isHeldOut(index)) continue;
  tokens += line.length;
  for (const word of line) counts.set(word, (counts.get(word) ?? 0) + 1);
}
const known = new Set([...counts].filter(([, count]) => count > 1).map(([word]) => word));
const lines = words.map((line) => line.map((word) => (known.has(word) ? word : '<unk>')).join(' '));
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'train.txt'), `${lines.filter((_, index) => !isHeldOut(index)).join('\n')}\n`);
writeFileSync(join(folder, 'valid.txt'), `${lines.filter((_, index) => isHeldOut(index)).join('\n')}\n`);
stdout.write(`${tokens} training tokens, ${known.size + 1} types in ${folder}\n`);
