/**
 * How much memory the host has, where it says so: what bounds a table, since an engine hands out pages that it does not
 * have.
 */
interface Host {
  readonly process?: {
    /** Node: the limit of a container, 0 or absurdly large when there is none. */
    constrainedMemory?(): number;
    getBuiltinModule?(name: string): unknown;
  };
}

/** In bytes; undefined in a browser, which refuses early by itself. */
export function findHostMemory(): number | undefined {
  const { process } = globalThis as unknown as Host;
  const system = process?.getBuiltinModule?.('node:os') as { totalmem?(): number } | undefined;
  const total = system?.totalmem?.();
  if (total === undefined) return undefined;
  const limit = process?.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(total, limit) : total;
}
