/**
 * A matrix's numbers without waiting. The interface promises them only when `read` resolves; backends in host memory
 * (plain, wasm, OpenBLAS) have copied them when it returns, and that is seen by whether they are there. For the few
 * calls of an OutputLayer that are synchronous and yet need rows of other ranks.
 */
import type { FloatArray, Matrix } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';

/** No weight has this value but by design. */
const unread = -1.2345678e-37;

/** @throws OutputLayerError `bad-option` on a backend whose numbers are on a device. */
export function readNow(source: Matrix, out: FloatArray): void {
  const length = source.rows * source.columns;
  if (length === 0) return;
  out[length - 1] = unread;
  const placed = out[length - 1]!;
  void source.backend.read(source, out);
  if (out[length - 1] !== placed) return;
  throw new OutputLayerError(
    'bad-option',
    `distributed layer: scores, classScores, classVectors and denseRows need a backend in host memory when there are several ranks, '${source.backend.name}' is not; use topK, ranksOf, evaluate or the log-probabilities`,
  );
}
