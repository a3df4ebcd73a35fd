/** A run as one picture: title, curves, table. */
import { colours } from './charts.ts';
import { cellsOf, columns, type Result } from './result-table.ts';

const width = 1200;
const margin = 24;
const line = 26;

/** @param charts with what stands above each. */
export async function drawPicture(
  title: string,
  charts: readonly { readonly title: string; readonly canvas: HTMLCanvasElement }[],
  results: readonly Result[],
): Promise<Blob> {
  const inner = width - 2 * margin;
  const heights = charts.map(({ canvas }) => (inner * canvas.height) / canvas.width);
  const picture = document.createElement('canvas');
  picture.width = width;
  picture.height =
    2 * margin + 2 * line + heights.reduce((sum, height) => sum + height + 2 * line, 0) + (results.length + 1) * line;
  const context = picture.getContext('2d');
  if (context === null) throw new Error('This browser draws no picture');
  const style = getComputedStyle(document.body);
  context.fillStyle = style.backgroundColor;
  context.fillRect(0, 0, width, picture.height);
  const write = (text: string, x: number, y: number, font: string, colour = style.color): void => {
    context.font = `${font} ${style.fontFamily}`;
    context.fillStyle = colour;
    context.fillText(text, x, y, inner);
  };
  let y = margin + line;
  write(title, margin, y, 'bold 20px');
  for (const [index, { title: above, canvas }] of charts.entries()) {
    y += 1.5 * line;
    write(above, margin, y, '16px');
    context.drawImage(canvas, margin, (y += line / 2), inner, heights[index] ?? 0);
    y += heights[index] ?? 0;
  }
  y += 1.5 * line;
  const columnAt = (column: number): number =>
    margin + (column === 0 ? 0 : 260 + ((column - 1) * (inner - 260)) / (columns.length - 1));
  for (const [column, name] of columns.entries()) write(name, columnAt(column), y, 'bold 14px');
  for (const [row, result] of results.entries()) {
    y += line;
    for (const [column, cell] of cellsOf(result).entries())
      write(cell, columnAt(column), y, '14px', column === 0 ? colours[row % colours.length] : undefined);
  }
  return await new Promise((resolve, reject) => {
    picture.toBlob((blob) => {
      if (blob === null) reject(new Error('The picture could not be made'));
      else resolve(blob);
    });
  });
}
