// Writes the table of allowed imports into turbo.json, which `turbo boundaries` reads: `pnpm boundaries:write`.
import { readFileSync, writeFileSync } from 'node:fs';
import { createTurboTags } from './allowed-imports.js';

const file = new URL('../../../turbo.json', import.meta.url);
const configuration = JSON.parse(readFileSync(file, 'utf8'));
configuration.boundaries.tags = createTurboTags();
writeFileSync(file, `${JSON.stringify(configuration, null, 2)}\n`);
