/**
 * The maps of closed generations (mathematics.md §4). A row of V tagged g is converted forward to generation G by the
 * maps of [g, G): v ← v·A + a for each. Besides the map of every single generation the ladder keeps the composition of
 * every complete dyadic interval [k·2ˡ, (k+1)·2ˡ), so a row needs at most 2·log₂(G − g) of them. Only forward maps are
 * ever applied: nothing ill-conditioned is inverted.
 *
 *     (A, a) ∘ (B, b) = (A·B, a·B + b)      first A, then B
 */
import {
  axpy,
  binary,
  copy,
  gatherRows,
  gemm,
  scatterRows,
  type Backend,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';

/** v ↦ v·linear + shift, from the generation `start` to `start + 2^level`. */
export interface GenerationMap {
  readonly level: number;
  readonly start: number;
  /** d×d. */
  readonly linear: Matrix;
  /** 1×d. */
  readonly shift: Matrix;
}

export class GenerationLadder implements Disposable {
  /** G: how many generations have been closed. */
  current = 0;
  /** How many maps were applied to groups of rows, for benchmarks. */
  mapsApplied = 0;
  readonly #backend: Backend;
  readonly #width: number;
  readonly #workspace: Workspace;
  /** By level, then by start / 2^level. */
  readonly #levels: Map<number, GenerationMap>[] = [];
  /** Dropped maps wait here for the next closing, so that a steady loop creates no handles. */
  readonly #spare: { linear: Matrix; shift: Matrix }[] = [];
  #group: Int32Array = new Int32Array(0);

  constructor(backend: Backend, width: number, workspace: Workspace) {
    this.#backend = backend;
    this.#width = width;
    this.#workspace = workspace;
    // So that the first closing, which comes in the middle of training, creates nothing.
    this.#spare.push(this.#createMap());
  }

  /** All maps, for a checkpoint. */
  *maps(): Generator<GenerationMap> {
    for (const level of this.#levels) yield* level.values();
  }

  /** Close the current generation with the map v ↦ v·linear + shift (copied). O(d²), and one d×d product on average. */
  close(linear: Matrix, shift: Matrix): void {
    const kept = this.#take();
    copy(linear, kept.linear);
    copy(shift, kept.shift);
    let map: GenerationMap = { level: 0, start: this.current, ...kept };
    this.insert(map);
    this.current++;
    // While the new interval is the right half of its parent, compose the parent.
    while ((map.start >> map.level) % 2 === 1) {
      const left = this.#find(map.level, map.start - 2 ** map.level);
      if (left === undefined) return;
      const parent = this.#take();
      gemm(left.linear, map.linear, parent.linear);
      gemm(left.shift, map.linear, parent.shift);
      axpy(1, map.shift, parent.shift);
      map = { level: map.level + 1, start: left.start, ...parent };
      this.insert(map);
    }
  }

  /** For restoring a checkpoint: take over a map with its matrices. */
  insert(map: GenerationMap): void {
    while (this.#levels.length <= map.level) this.#levels.push(new Map());
    this.#levels[map.level]!.set(map.start / 2 ** map.level, map);
  }

  /** No row is older than `generation` any more: forget the maps that start before it. */
  drop(generation: number): void {
    for (const level of this.#levels) {
      for (const [key, map] of level) {
        if (map.start >= generation) continue;
        level.delete(key);
        this.#spare.push({ linear: map.linear, shift: map.shift });
      }
    }
  }

  /**
   * Make room for groups of `count` rows, so that the first conversion, which comes in the middle of training, creates
   * no handle.
   */
  reserve(count: number): void {
    if (this.#group.length >= count) return;
    this.#group = new Int32Array(Math.ceil(count * 1.5));
    const room = this.#group.length;
    this.#workspace.indices('ladder group', this.#group, room);
    this.#workspace.matrix('ladder before', room, this.#width);
    this.#workspace.matrix('ladder after', room, this.#width);
  }

  /**
   * Convert the first `count` rows of `rows` in place to the generation `target` ≤ current; `generations` holds each
   * row's own and becomes `target` for all that were older. Rows of one age move together, and groups that meet go on
   * as one.
   */
  convert(rows: Matrix, generations: Int32Array, count: number, target: number): void {
    for (;;) {
      let oldest = target;
      for (let row = 0; row < count; row++) if (generations[row]! < oldest) oldest = generations[row]!;
      if (oldest === target) return;
      this.reserve(count);
      let members = 0;
      for (let row = 0; row < count; row++) if (generations[row] === oldest) this.#group[members++] = row;
      const map = this.#longestFrom(oldest, target);
      this.#apply(map, rows, members);
      const reached = map.start + 2 ** map.level;
      for (let member = 0; member < members; member++) generations[this.#group[member]!] = reached;
    }
  }

  #apply(map: GenerationMap, rows: Matrix, members: number): void {
    const group = this.#workspace.indices('ladder group', this.#group, members);
    const before = this.#workspace.matrix('ladder before', members, this.#width);
    const after = this.#workspace.matrix('ladder after', members, this.#width);
    gatherRows(rows, group, before);
    gemm(before, map.linear, after);
    binary('add', after, map.shift, after);
    scatterRows(after, group, rows);
    this.mapsApplied++;
  }

  #longestFrom(start: number, target: number): GenerationMap {
    for (let level = this.#levels.length - 1; level >= 0; level--) {
      if (start % 2 ** level !== 0 || start + 2 ** level > target) continue;
      const map = this.#find(level, start);
      if (map !== undefined) return map;
    }
    throw new RangeError(
      `generation ladder: no map from generation ${start} to ${target}; the checkpoint is incomplete`,
    );
  }

  #find(level: number, start: number): GenerationMap | undefined {
    return this.#levels[level]?.get(start / 2 ** level);
  }

  #take(): { linear: Matrix; shift: Matrix } {
    return this.#spare.pop() ?? this.#createMap();
  }

  #createMap(): { linear: Matrix; shift: Matrix } {
    return {
      linear: this.#backend.createMatrix(this.#width, this.#width),
      shift: this.#backend.createMatrix(1, this.#width),
    };
  }

  /** Forget everything and start again at generation `current`. */
  reset(current: number): void {
    this.drop(Infinity);
    this.current = current;
  }

  [Symbol.dispose](): void {
    this.drop(Infinity);
    for (const { linear, shift } of this.#spare) {
      linear[Symbol.dispose]();
      shift[Symbol.dispose]();
    }
    this.#spare.length = 0;
  }
}
