import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();

interface Listed {
  readonly name: string;
  readonly available: boolean;
  readonly reason?: string;
  readonly speed?: { readonly gemmGflops: number; readonly copyGigabytesPerSecond: number; readonly stepMs: number };
}

describe('vastmax backends', () => {
  it('says of each backend how fast it is or why it does not run, and what auto takes', async () => {
    const { code, stdout, stderr } = await vastmax(folder, 'backends --threads 1 --json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { backends, auto } = JSON.parse(stdout) as { backends: Listed[]; auto: string };
    expect(backends.map(({ name }) => name)).toEqual(['openblas', 'wasm', 'plain', 'webgpu']);
    for (const { name, available, reason, speed } of backends) {
      if (!available) expect(reason, name).toMatch(/\w/);
      for (const value of Object.values(speed ?? {})) expect(value, name).toBeGreaterThan(0);
    }
    expect(backends.find(({ name }) => name === 'wasm')).toMatchObject({ available: true, speed: {} });
    expect(auto).toBe(backends.find(({ available }) => available)?.name);
  });
});
