const last = new Map<string, Promise<void>>();

/**
 * Runs actions of the same key one after the other, in the order of their calls: the checkpoint at Ctrl-C waits for the
 * periodic one that is under way, instead of removing its files.
 */
export async function serializeByKey<T>(key: string, action: () => Promise<T>): Promise<T> {
  const turn = (last.get(key) ?? Promise.resolve()).then(action);
  const ended = turn.then(
    () => undefined,
    () => undefined,
  );
  last.set(key, ended);
  try {
    return await turn;
  } finally {
    if (last.get(key) === ended) last.delete(key);
  }
}
