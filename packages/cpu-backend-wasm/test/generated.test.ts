/** In a process of its own: the compiler declares globals that would clash with everybody's. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('src/generated/ is what assembly/ compiles to now', () => {
  const script = fileURLToPath(new URL('../scripts/compile-kernels.js', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
