/** What a bench is at: the stage's name and how far it is. */
export type ShowStage = (stage: string, detail?: string) => void;

const millisecondsBetweenLines = 5000;

/**
 * Stages on stderr. On a terminal one line that overwrites itself; elsewhere a line for each new stage and one every
 * five seconds within it.
 * @param end takes the line of a terminal away.
 */
export function stageProgress(bench: string): { readonly show: ShowStage; readonly end: () => void } {
  let current = '';
  let shown = -Infinity;
  return {
    show: (stage, detail = '') => {
      const line = `${bench}: ${stage}${detail === '' ? '' : `, ${detail}`}`;
      if (process.stderr.isTTY) {
        process.stderr.write(`\r\u001b[K${line}`);
        return;
      }
      if (stage === current && performance.now() - shown < millisecondsBetweenLines) return;
      current = stage;
      shown = performance.now();
      process.stderr.write(`${line}\n`);
    },
    end: () => {
      if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    },
  };
}
