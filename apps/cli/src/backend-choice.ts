import { createPlainBackend, probePlainBackend, type Backend, type Precision } from '@vastmax/linalg-core';
import { UsageError } from './usage-error.ts';

export const backendNames = ['auto', 'plain'] as const;

/** The backend of that name; `auto` takes the fastest whose probe passes. Only applications choose a backend. */
export function createBackend(name: string, precision: Precision): Backend {
  if (!backendNames.some((known) => known === name)) {
    throw new UsageError(`--backend must be one of ${backendNames.join(', ')}, got '${name}'`);
  }
  return createPlainBackend({ precision });
}

/** Says which was taken and why, for people. */
export function describeBackend(backend: Backend): string {
  const probe = probePlainBackend();
  return `${backend.name}${probe.available ? ` (${probe.detail})` : ''}`;
}
