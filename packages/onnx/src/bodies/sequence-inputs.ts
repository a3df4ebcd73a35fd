import type { Graph } from '../graph.ts';

/** Inputs `words`, batch×steps, and `lengths`, batch; what is after a sequence's last word may be any number. */
export function addSequenceInputs(graph: Graph, steps: string): { readonly words: string; readonly lengths: string } {
  return {
    words: graph.input({
      name: 'words',
      type: 'int32',
      shape: ['batch', steps],
      description: 'the numbers of the words or items of each sequence, from its first; 0 after its last',
    }),
    lengths: graph.input({
      name: 'lengths',
      type: 'int32',
      shape: ['batch'],
      description: 'how many words or items each sequence has, at least 1',
    }),
  };
}
