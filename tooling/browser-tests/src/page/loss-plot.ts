// Draws the loss curve as SVG, without a library.

const [width, height, margin] = [640, 320, 48];

/** @param losses the losses so far, one per step; `steps` is the total number of steps */
export function lossPlot(losses: readonly number[], steps: number): string {
  const top = Math.max(...losses) * 1.05;
  const x = (step: number): number => margin + ((width - 2 * margin) * step) / steps;
  const y = (loss: number): number => height - margin - ((height - 2 * margin) * loss) / top;
  const points = losses.map((loss, step) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`).join(' ');
  const label = (at: readonly [number, number], anchor: string, text: string): string =>
    `<text x="${at[0]}" y="${at[1]}" text-anchor="${anchor}" font-size="13">${text}</text>`;
  return [
    `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif">`,
    `<path d="M${margin} ${margin}V${height - margin}H${width - margin}" fill="none" stroke="#888"/>`,
    `<polyline points="${points}" fill="none" stroke="#1f5fbf" stroke-width="1.5"/>`,
    label([margin, margin - 12], 'start', 'mean loss of a step'),
    label([width - margin, height - margin + 28], 'end', 'step'),
    label([margin - 6, height - margin], 'end', '0'),
    label([margin - 6, margin + 5], 'end', top.toFixed(1)),
    label([margin, height - margin + 16], 'middle', '0'),
    label([width - margin, height - margin + 16], 'middle', String(steps)),
    '</svg>',
  ].join('');
}
