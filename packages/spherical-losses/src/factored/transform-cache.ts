/**
 * The transforms between rebase epochs (mathematics.md §4). A row of V of epoch g is converted forward to epoch G by
 * the transforms of [g, G): v ← v·A + a for each. Besides the transform of every single rebase the cache stores the
 * composition of every complete dyadic interval [k·2ˡ, (k+1)·2ˡ), so a row needs at most 2·log₂(G − g) of them. Only
 * forward transforms are applied, so no ill-conditioned matrix is inverted.
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

/** v ↦ v·linear + shift, from the epoch `start` to `start + 2^level`. */
export interface EpochTransform {
  readonly level: number;
  readonly start: number;
  /** d×d. */
  readonly linear: Matrix;
  /** 1×d. */
  readonly shift: Matrix;
}

export class TransformCache implements Disposable {
  /** G, the current rebase epoch: the number of rebases. */
  epoch = 0;
  /** How often a transform was applied to a group of rows, for benchmarks. */
  applied = 0;
  readonly #backend: Backend;
  readonly #width: number;
  readonly #workspace: Workspace;
  /** By level, then by start / 2^level. */
  readonly #levels: Map<number, EpochTransform>[] = [];
  /** Dropped transforms, reused by the next rebases, so that no handle is created in steady state. */
  readonly #spare: { linear: Matrix; shift: Matrix }[] = [];
  #group: Int32Array = new Int32Array(0);

  constructor(backend: Backend, width: number, workspace: Workspace) {
    this.#backend = backend;
    this.#width = width;
    this.#workspace = workspace;
    // So that the first rebase, which happens during training, creates no handle.
    this.#spare.push(this.#createTransform());
  }

  /** No row is older than the current epoch. */
  get isEmpty(): boolean {
    return this.#levels.every((level) => level.size === 0);
  }

  /** All of them, for a checkpoint. */
  *transforms(): Generator<EpochTransform> {
    for (const level of this.#levels) yield* level.values();
  }

  /** Ends the current epoch with v ↦ v·linear + shift (copied). O(d²), and one d×d product on average. */
  append(linear: Matrix, shift: Matrix): void {
    const kept = this.#take();
    copy(linear, kept.linear);
    copy(shift, kept.shift);
    let transform: EpochTransform = { level: 0, start: this.epoch, ...kept };
    this.insert(transform);
    this.epoch++;
    // While the new interval is the right half of its parent, compose the parent.
    while ((transform.start >> transform.level) % 2 === 1) {
      const left = this.#find(transform.level, transform.start - 2 ** transform.level);
      if (left === undefined) return;
      const parent = this.#take();
      gemm(left.linear, transform.linear, parent.linear);
      gemm(left.shift, transform.linear, parent.shift);
      axpy(1, transform.shift, parent.shift);
      transform = { level: transform.level + 1, start: left.start, ...parent };
      this.insert(transform);
    }
  }

  /** For restoring a checkpoint: inserts a transform; the cache owns its matrices from now on. */
  insert(transform: EpochTransform): void {
    while (this.#levels.length <= transform.level) this.#levels.push(new Map());
    this.#levels[transform.level]!.set(transform.start / 2 ** transform.level, transform);
  }

  /** No row is older than `epoch` any more: drops the transforms that start before it. */
  drop(epoch: number): void {
    for (const level of this.#levels) {
      for (const [key, transform] of level) {
        if (transform.start >= epoch) continue;
        level.delete(key);
        this.#spare.push({ linear: transform.linear, shift: transform.shift });
      }
    }
  }

  /**
   * Allocates buffers for groups of `count` rows, so that the first conversion, which happens during training, creates
   * no handle.
   */
  reserve(count: number): void {
    if (this.#group.length >= count) return;
    this.#group = new Int32Array(Math.ceil(count * 1.5));
    const room = this.#group.length;
    this.#workspace.indices('converted group', this.#group, room);
    this.#workspace.matrix('group before', room, this.#width);
    this.#workspace.matrix('group after', room, this.#width);
  }

  /**
   * Converts the first `count` rows of `rows` in place to the epoch `target` ≤ the current one; `epochs` has each row's
   * epoch and is set to `target` for all older rows. Rows of one epoch are converted together, and groups that reach
   * the same epoch are merged.
   */
  convert(rows: Matrix, epochs: Int32Array, count: number, target: number): void {
    for (;;) {
      let oldest = target;
      for (let row = 0; row < count; row++) if (epochs[row]! < oldest) oldest = epochs[row]!;
      if (oldest === target) return;
      this.reserve(count);
      let members = 0;
      for (let row = 0; row < count; row++) if (epochs[row] === oldest) this.#group[members++] = row;
      const transform = this.#longestFrom(oldest, target);
      this.#apply(transform, rows, members);
      const reached = transform.start + 2 ** transform.level;
      for (let member = 0; member < members; member++) epochs[this.#group[member]!] = reached;
    }
  }

  /**
   * The other direction, for products with rows that stay as they are: v·q for a row v of the epoch `target` is
   * v′·q′ + offset for the same row v′ in the epoch `epoch` ≤ `target`. Changes `queries` (m×d, one q a row) into q′ and
   * adds to `offsets` (m×1). O(m·d²) for each transform between the epochs.
   */
  mapQueries(queries: Matrix, offsets: Matrix, epoch: number, target: number): void {
    const path: EpochTransform[] = [];
    for (let reached = epoch; reached < target;) {
      const transform = this.#longestFrom(reached, target);
      path.push(transform);
      reached = transform.start + 2 ** transform.level;
    }
    const before = this.#workspace.matrix('mapped before', queries.rows, queries.columns);
    for (const { linear, shift } of path.reverse()) {
      gemm(queries, shift, offsets, { transposeB: true, beta: 1 });
      copy(queries, before);
      gemm(before, linear, queries, { transposeB: true });
    }
  }

  #apply(transform: EpochTransform, rows: Matrix, members: number): void {
    const group = this.#workspace.indices('converted group', this.#group, members);
    const before = this.#workspace.matrix('group before', members, this.#width);
    const after = this.#workspace.matrix('group after', members, this.#width);
    gatherRows(rows, group, before);
    gemm(before, transform.linear, after);
    binary('add', after, transform.shift, after);
    scatterRows(after, group, rows);
    this.applied++;
  }

  #longestFrom(start: number, target: number): EpochTransform {
    for (let level = this.#levels.length - 1; level >= 0; level--) {
      if (start % 2 ** level !== 0 || start + 2 ** level > target) continue;
      const transform = this.#find(level, start);
      if (transform !== undefined) return transform;
    }
    throw new RangeError(
      `transform cache: no transform from rebase epoch ${start} to ${target}; the checkpoint is incomplete`,
    );
  }

  #find(level: number, start: number): EpochTransform | undefined {
    return this.#levels[level]?.get(start / 2 ** level);
  }

  #take(): { linear: Matrix; shift: Matrix } {
    return this.#spare.pop() ?? this.#createTransform();
  }

  #createTransform(): { linear: Matrix; shift: Matrix } {
    return {
      linear: this.#backend.createMatrix(this.#width, this.#width),
      shift: this.#backend.createMatrix(1, this.#width),
    };
  }

  /** Drops everything and starts again at `epoch`. */
  reset(epoch: number): void {
    this.drop(Infinity);
    this.epoch = epoch;
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
