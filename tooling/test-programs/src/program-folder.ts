/**
 * A global setup of vitest: the folder of a run's bundled programs, removed when the run has ended. It is in node_modules
 * of this package, from where koffi can be resolved.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    programFolder: string;
  }
}

export function setup(project: TestProject): () => void {
  const cache = fileURLToPath(new URL('../node_modules/.cache/', import.meta.url));
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(`${cache}test-programs-`);
  project.provide('programFolder', folder);
  return () => {
    rmSync(folder, { recursive: true });
  };
}
