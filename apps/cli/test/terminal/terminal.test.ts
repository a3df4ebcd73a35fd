import { WriteStream } from 'node:tty';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Progress } from '../../src/terminal/terminal.ts';

/** What would be a standard error: collects what is written. */
function createStream(
  isTTY: boolean,
  columns: number,
): { readonly stream: NodeJS.WriteStream; readonly written: string[] } {
  const written: string[] = [];
  const write = (text: string): boolean => written.push(text) > 0;
  const stream = Object.create(WriteStream.prototype, {
    isTTY: { value: isTTY },
    columns: { value: columns },
    write: { value: write },
  }) as NodeJS.WriteStream;
  return { stream, written };
}

const details = ['loss 6.697', '12,818 examples/s', '51,200 of 1,770,911 examples'];

afterEach(() => {
  vi.useRealTimers();
});

describe('progress on a terminal', () => {
  it.each([
    [80, ' 34 % · 18 min 14 s left · loss 6.697 · 12,818 examples/s'],
    [50, ' 34 % · 18 min 14 s left'],
  ])('of %d columns is a bar on one line that drops what does not fit', (columns, text) => {
    const { stream, written } = createStream(true, columns);
    {
      using progress = new Progress('training', stream);
      progress.update(0.34, details, 1094);
    }
    const lines = written.filter((piece) => piece.includes('training'));
    expect(lines.at(-1)).toBe(`training ████░░░░░░░░${text}`);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
  });

  it('is erased at the end, and the cursor is shown again', () => {
    const { stream, written } = createStream(true, 80);
    using progress = new Progress('training', stream);
    expect(written.join('')).toContain('\u001B[?25l');
    written.length = 0;
    progress[Symbol.dispose]();
    const end = written.join('');
    expect(end).toContain('\u001B[?25h');
    expect(end.lastIndexOf('\u001B[2K')).toBeGreaterThan(end.lastIndexOf('training'));
    expect(end).not.toContain('\n');
  });
});

describe('progress elsewhere', () => {
  it('is a plain line after 2 seconds and then every 10', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { stream, written } = createStream(false, 0);
    using progress = new Progress('training', stream);
    for (let second = 1; second <= 25; second++) {
      vi.advanceTimersByTime(1000);
      progress.update(second / 30, [`step ${second}`], 30 - second);
    }
    expect(written).toEqual([
      'training: 6 % · 28 s left · step 2\n',
      'training: 40 % · 18 s left · step 12\n',
      'training: 73 % · 8.0 s left · step 22\n',
    ]);
  });
});
