/** The models of a job, one row each, of which a run may want some only. */
import type { JobContext } from '../train-to-the-end.ts';

export interface MeasuredModel<Row> {
  readonly model: string;
  readonly loss: string;
  readonly measure: () => Promise<Row>;
}

export async function measureWanted<Row>(
  { wants = () => true }: JobContext,
  models: readonly MeasuredModel<Row>[],
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { model, loss, measure } of models) if (wants(model, loss)) rows.push(await measure());
  return rows;
}
