import { execFileSync } from 'node:child_process';

/**
 * A Python that can import the module; undefined where there is none. Distributions install theirs beside one of the
 * person's own.
 */
export function pythonWith(module: string): string | undefined {
  return ['python3', '/usr/bin/python3'].find((python) => {
    try {
      execFileSync(python, ['-c', `import ${module}`], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}
