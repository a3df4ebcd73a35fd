import { totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createPlainBackend, growTable, LinalgError, readRows, writeRows } from '../src/index.ts';
import { TablePieces } from '../src/host-table.ts';

const pieceBytes = 16 * 1024 * 1024;

describe('TablePieces', () => {
  it('holds exactly the rows, in pieces of at most 16 MiB', () => {
    for (const columns of [1, 3, 1000, 5_000_000]) {
      const pieces = new TablePieces(columns, 'f32');
      const rows = Math.ceil((2.5 * pieceBytes) / (4 * columns));
      pieces.grow(rows);
      expect(pieces.pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(rows * columns);
      // A row is never cut, so a row wider than a piece is a piece of its own.
      for (const piece of pieces.pieces)
        expect(piece.byteLength).toBeLessThanOrEqual(Math.max(pieceBytes, 4 * columns));
      expect(pieces.mask + 1).toBe(2 ** pieces.shift);
    }
  });

  it('copies at most the last piece when it grows', () => {
    const pieces = new TablePieces(3, 'f64');
    const perPiece = pieces.mask + 1;
    pieces.grow(2 * perPiece + 10);
    const [first, second, last] = pieces.pieces;
    last?.fill(4);
    pieces.grow(3 * perPiece + 1);
    expect(pieces.pieces[0]).toBe(first);
    expect(pieces.pieces[1]).toBe(second);
    expect(pieces.pieces[2]?.length).toBe(3 * perPiece);
    expect(Array.from(pieces.pieces[2]?.subarray(0, 31) ?? [])).toEqual([...new Array<number>(30).fill(4), 0]);
    expect(pieces.pieces[3]?.length).toBe(3);
  });

  it('keeps a last piece that is full', () => {
    const pieces = new TablePieces(4, 'f32');
    const perPiece = pieces.mask + 1;
    pieces.grow(perPiece);
    const [first] = pieces.pieces;
    pieces.grow(perPiece + 1);
    expect(pieces.pieces[0]).toBe(first);
    expect(pieces.pieces.map((piece) => piece.length)).toEqual([4 * perPiece, 4]);
  });
});

describe('a table that does not fit', () => {
  const backend = createPlainBackend();

  it('is refused before anything is allocated, saying how much was asked for', () => {
    const before = process.memoryUsage().arrayBuffers;
    expect(() => backend.createTable(10 ** 9, 10 ** 6)).toThrow(
      'could not allocate 1000000000000000 numbers of f32 (3814697265.6 MiB); use fewer rows or columns, or f32',
    );
    // Less than the engine would map, more than there is to fill it with: refused at once, not killed later.
    const rows = Math.ceil(totalmem() / 4096) + 1;
    expect(() => backend.createTable(rows, 1024)).toThrow(
      new RegExp(`could not allocate ${rows * 1024} numbers of f32.*; this machine has \\d+`),
    );
    expect(() => backend.createTable(2 ** 31, 1)).toThrow(
      'a table of 2147483648 rows: at most 2147483647 rows can be addressed',
    );
    expect(() => backend.createMatrix(10 ** 9, 10 ** 9)).toThrow(
      'could not allocate 1000000000000000000 numbers of f32',
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
    expect(backend.memory()).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
  });

  it('stays as it was when it cannot grow', async () => {
    using table = backend.createTable(2, 1_000_000);
    writeRows(new Float32Array(2_000_000).fill(3), 0, table);
    const { bytes } = backend.memory();
    let thrown: unknown;
    try {
      growTable(table, 2 ** 30);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(LinalgError);
    expect(thrown).toMatchObject({ code: 'out-of-memory' });
    expect(table.rows).toBe(2);
    expect(backend.memory().bytes).toBe(bytes);
    expect((await readRows(table, 1, 1)).at(-1)).toBe(3);
  });
});
