/**
 * The Moby thesaurus as sets to complete: the synonyms of a word, a fifth of them hidden. The word itself is known, and
 * is no answer.
 */
import {
  columnCounts,
  columnsByFrequency,
  csrFromLists,
  type CsrRows,
  renumberColumns,
  splitSets,
} from '@vastmax/sparse-data';
import { readLines } from '@vastmax/sparse-data/node';

export interface SynonymSets {
  /** Without the words that they are of. */
  readonly pairs: number;
  readonly words: number;
  /** What is shown of each set, its word included where that is a synonym of another; words by falling frequency. */
  readonly known: CsrRows;
  readonly hidden: CsrRows;
}

export const hiddenShare = 0.2;

/** A line of the file is a word and its synonyms, with commas between. */
export async function readSynonymSets(path: string, seed: number): Promise<SynonymSets> {
  const ids = new Map<string, number>();
  const roots: string[] = [];
  const lists: number[][] = [];
  for await (const line of readLines(path)) {
    const [root = '', ...rest] = line.split(',').map((word) => word.trim());
    const synonyms = rest.filter((word) => word !== '');
    if (synonyms.length === 0) continue;
    roots.push(root);
    lists.push(
      [...new Set(synonyms)].map((word) => {
        const id = ids.get(word) ?? ids.size;
        ids.set(word, id);
        return id;
      }),
    );
  }
  const numbered = csrFromLists(lists, ids.size);
  const order = columnsByFrequency(columnCounts(numbered));
  const places = new Int32Array(ids.size);
  order.forEach((id, place) => {
    places[id] = place;
  });
  const { shown, hidden } = splitSets(renumberColumns(numbered, order), { hidden: hiddenShare, seed });
  const known = roots.map((root, row) => {
    const id = ids.get(root);
    return [
      ...new Set([
        ...(id === undefined ? [] : [places[id] ?? 0]),
        ...shown.indices.subarray(shown.offsets[row], shown.offsets[row + 1]),
      ]),
    ];
  });
  // A few lines name their own word among its synonyms: where that was hidden there is nothing to guess.
  const guessed = Array.from(known, (own, row) =>
    [...hidden.indices.subarray(hidden.offsets[row], hidden.offsets[row + 1])].filter((word) => !own.includes(word)),
  );
  return {
    pairs: numbered.indices.length,
    words: ids.size,
    known: csrFromLists(known, ids.size),
    hidden: csrFromLists(guessed, ids.size),
  };
}
