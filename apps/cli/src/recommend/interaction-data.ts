/** Interactions of files as rows of users: read in any format, and divided into what is trained on and what is held out. */
import { createHash } from 'node:crypto';
import {
  addDuplicates,
  columnCounts,
  columnsByFrequency,
  renumberColumns,
  splitAtTime,
  splitLast,
  splitSets,
  timeSplitEnds,
  Vocabulary,
  type CsrRows,
  type SplitSets,
} from '@vastmax/sparse-data';
import { inputName, readInteractions } from '@vastmax/sparse-data/node';
import {
  collectSessions,
  parseInteractionRecords,
  type Interaction,
  type Sessions,
} from '@vastmax/sparse-data/records';
import {
  recommenderOf,
  type Recommender,
  type RecommenderParts,
  type RecommenderTest,
} from '@vastmax/lm-models/recommenders';
import { isParquetFile, readParquet } from '@vastmax/text-readers/node';
import { createReadingProgress, type ReadingProgress } from '../labels/reading-progress.ts';
import {
  columnsOf,
  type InteractionInputOptions,
  type InteractionOptions,
  type SplitName,
} from '../options/interaction-options.ts';
import type { RecommenderTrainOptions } from '../options/recommender-options.ts';
import { CommandFailure } from '../terminal/errors.ts';
import { count, warn } from '../terminal/terminal.ts';

/** What a recommender is trained on: all of it but its settings. */
export type RecommenderData = Omit<RecommenderParts, 'settings'> & {
  /** How many interactions there are in all, and how they were divided, for people. */
  readonly interactions: number;
  readonly division: string;
  /** Whether the file has times; else interactions are in its order. */
  readonly hasTimes: boolean;
  /** SHA-256 of names and rows. */
  readonly fingerprint: string;
};

const defaultHoldOut = 0.1;

/** Interactions of a file, in any format. @throws SparseDataError that names file and line. */
async function* readAnyInteractions(
  path: string,
  options: InteractionInputOptions,
  { signal, onProgress }: { readonly signal: AbortSignal } & Pick<ReadingProgress, 'onProgress'>,
): AsyncGenerator<Interaction, void, undefined> {
  const columns = columnsOf(options);
  if (options.interactionFormat === undefined && (await isParquetFile(path))) {
    const rows = readParquet(path, { signal, onProgress });
    yield* parseInteractionRecords(recordsOf(rows), { columns, name: inputName(path) });
    return;
  }
  yield* readInteractions(path, {
    columns,
    signal,
    onProgress,
    ...(options.interactionFormat === undefined ? {} : { format: options.interactionFormat }),
  });
}

async function* recordsOf(
  rows: ReturnType<typeof readParquet>,
): AsyncGenerator<{ readonly line: number; readonly value: unknown }, void, undefined> {
  for await (const { row, values } of rows) yield { line: row, value: values };
}

/** @param signal of the whole command. */
export async function readSessions(
  path: string,
  options: InteractionInputOptions & Pick<InteractionOptions, 'minUserCount' | 'minItemCount'>,
  signal: AbortSignal,
  items?: Vocabulary,
): Promise<Sessions> {
  using progress = createReadingProgress('interactions');
  const { minUserCount = 1, minItemCount = 1 } = options;
  return await collectSessions(
    counted(readAnyInteractions(path, options, { signal, onProgress: progress.onProgress }), progress),
    {
      minimumCount: minItemCount,
      minimumUserCount: minUserCount,
      ...(items === undefined ? {} : { items }),
    },
  );
}

async function* counted(
  interactions: AsyncIterable<Interaction>,
  progress: ReadingProgress,
): AsyncGenerator<Interaction, void, undefined> {
  for await (const interaction of interactions) {
    progress.done++;
    yield interaction;
  }
}

/**
 * The data of a run: what is held out is a file of its own, or divided off.
 * @throws SparseDataError for a file that is wrong; CommandFailure for a split that the data do not allow.
 */
export async function readRecommenderData(
  path: string,
  options: RecommenderTrainOptions,
  signal: AbortSignal,
): Promise<RecommenderData> {
  const read = await readSessions(path, options, signal);
  const { users, sessions, times } = read;
  const hasTimes = times.some((time) => time !== 0);
  const reads = recommenderOf(options.model).reads;
  const { shown, hidden, division } =
    options.valid === undefined
      ? divide(path, read, reads, options)
      : { ...(await withHeldOutFile(options.valid, read, options, signal)), division: `held out in ${options.valid}` };
  // A set may be divided off before repetitions are counted, where their order decides.
  const histories = reads === 'sets' ? addDuplicates(shown) : shown;
  const counts = columnCounts(histories);
  const order = columnsByFrequency(counts);
  const items = new Vocabulary({
    tokens: Array.from(order, (item) => read.items.tokenOf(item)),
    counts: Array.from(order, (item) => counts[item]!),
  });
  const data = {
    users,
    items,
    histories: renumberColumns(histories, order),
    heldOut: renumberColumns(addDuplicates(hidden), order),
  };
  return {
    ...data,
    interactions: sessions.offsets[sessions.rows]!,
    division,
    hasTimes,
    fingerprint: fingerprintOf(data),
  };
}

type Division = SplitSets & { readonly division: string };

function divide(
  path: string,
  { sessions, times }: Sessions,
  reads: 'sets' | 'sequences',
  options: InteractionOptions,
): Division {
  const { holdOut = defaultHoldOut } = options;
  const split: SplitName = options.split ?? (reads === 'sets' ? 'share' : 'last');
  if (holdOut === 0) return { ...splitSets(sessions, { hidden: 0 }), division: 'nothing held out' };
  const percent = `${Number((100 * holdOut).toFixed(1))} %`;
  switch (split) {
    case 'share':
      return {
        ...splitSets(addDuplicates(sessions), { hidden: holdOut }),
        division: `${percent} of each user's items held out`,
      };
    case 'last':
      return { ...splitLast(sessions), division: "each user's last item held out" };
    case 'time': {
      if (!times.some((time) => time !== times[0]))
        throw new CommandFailure(
          `--split time needs times, and ${path} has none, or all are ${String(times[0])}; name their column with --time-column, or take another --split`,
        );
      const { train } = timeSplitEnds(times, { train: 1 - holdOut, test: holdOut });
      return {
        ...splitAtTime(sessions, times, train),
        division: `the last ${percent} by time held out`,
      };
    }
  }
}

/** Rows of users of another file, in the rows of these: what users and items that are not known have is left out. */
function inRowsOf(
  { sessions, users }: Sessions,
  rowOf: (user: string) => number | undefined,
  rows: number,
): { readonly rows: CsrRows; readonly unknownUsers: number } {
  const places = new Int32Array(rows).fill(-1);
  let unknownUsers = 0;
  for (const [row, user] of users.entries()) {
    const place = rowOf(user);
    if (place === undefined) unknownUsers++;
    else places[place] = row;
  }
  const offsets = new Int32Array(rows + 1);
  const indices: number[] = [];
  for (let row = 0; row < rows; row++) {
    const from = places[row]!;
    if (from !== -1)
      for (let entry = sessions.offsets[from]!; entry < sessions.offsets[from + 1]!; entry++)
        indices.push(sessions.indices[entry]!);
    offsets[row + 1] = indices.length;
  }
  return {
    rows: { rows, columns: sessions.columns, offsets, indices: Int32Array.from(indices), values: undefined },
    unknownUsers,
  };
}

async function withHeldOutFile(
  path: string,
  { sessions, users, items }: Sessions,
  options: InteractionInputOptions,
  signal: AbortSignal,
): Promise<SplitSets> {
  const held = await readSessions(path, { ...options, minUserCount: 1, minItemCount: 1 }, signal, items);
  const rowOf = new Map(users.map((user, row) => [user, row]));
  const { rows, unknownUsers } = inRowsOf(held, (user) => rowOf.get(user), sessions.rows);
  if (unknownUsers > 0)
    warn(`${count(unknownUsers)} users of ${path} have no interactions in the training data; they are left out`);
  return { shown: sessions, hidden: rows };
}

/**
 * What a recommender is evaluated on: what was held out of its training, or a file's interactions of its users, who are
 * then known by all of the training data.
 */
export async function readTest(
  recommender: Recommender,
  path: string | undefined,
  options: InteractionInputOptions,
  signal: AbortSignal,
): Promise<RecommenderTest> {
  const { histories, heldOut, users, items } = recommender;
  if (path === undefined) return { histories, targets: heldOut };
  const read = await readSessions(path, options, signal, items);
  const { rows: targets, unknownUsers } = inRowsOf(read, (user) => recommender.rowOf(user), users.length);
  if (unknownUsers > 0) warn(`${count(unknownUsers)} users of ${path} are not known to the model; they are left out`);
  return { histories: recommender.knownHistories(), targets };
}

function fingerprintOf({ users, items, histories, heldOut }: Omit<RecommenderParts, 'settings'>): string {
  const hash = createHash('sha256').update(JSON.stringify([users, items.tokens]));
  for (const { rows, offsets, indices, values } of [histories, heldOut]) {
    hash.update(offsets.slice(0, rows + 1)).update(indices.slice(0, offsets[rows]));
    if (values !== undefined) hash.update(values.slice(0, offsets[rows]));
  }
  return hash.digest('hex');
}
