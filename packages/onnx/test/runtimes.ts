/** The two runtimes that exported models are run with, behind one call. */
import * as native from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import type { MemoryStorage } from '@vastmax/checkpoints';

export type Feeds = Readonly<
  Record<string, { readonly values: Int32Array | Float32Array; readonly shape: readonly number[] }>
>;
export interface Results {
  readonly scores: Float32Array;
  readonly best: Float32Array;
  readonly places: Int32Array;
}

// Warnings on a machine without /sys/class/drm, and threads that would stay.
native.env.logLevel = 'error';
web.env.logLevel = 'error';
web.env.wasm.numThreads = 1;

export async function runModel(
  runtime: 'node' | 'web',
  storage: MemoryStorage,
  name: string,
  feeds: Feeds,
): Promise<Results> {
  const { InferenceSession, Tensor } = runtime === 'node' ? native : web;
  const read = async (file: string): Promise<Uint8Array> =>
    new Uint8Array((await storage.files.get(file)?.arrayBuffer()) ?? []);
  const data = `${name}.data`;
  const session = await InferenceSession.create(await read(name), {
    ...(storage.files.has(data) ? { externalData: [{ path: data, data: await read(data) }] } : {}),
  });
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([input, { values, shape }]) => [
      input,
      values instanceof Int32Array ? new Tensor('int32', values, shape) : new Tensor('float32', values, shape),
    ]),
  );
  const { scores, top_scores: best, top_classes: places } = await session.run(inputs);
  const results = {
    scores: scores?.data as Float32Array,
    best: best?.data as Float32Array,
    places: places?.data as Int32Array,
  };
  await session.release();
  return results;
}
