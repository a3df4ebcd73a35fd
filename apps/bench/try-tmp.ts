import { createBackend } from '/work/main/apps/bench/src/measurement/backend-choice.ts';
import { createOutputLayer, trainingDefaults, outputLayerNames } from '/work/main/packages/lm-models/src/index.ts';
import { MinibatchCycle } from '/work/main/apps/bench/src/workload/minibatches.ts';
const D = Number(process.argv[2] ?? 10000), d = 300, m = 128;
const only = process.argv[3]?.split(',');
const { backend, inUse } = await createBackend(process.argv[4] ?? 'wasm', 1);
const frequencies = Float64Array.from({ length: D }, (_, k) => D * Math.log((k + 2) / (k + 1)));
const base = { seed: 1 };
const choice = (kind) => {
  const name = kind === 'factored' ? 'z-loss' : kind;
  const { lossOptions, initialScale } = trainingDefaults(name);
  const c = { kind, initialScale, seed: 1 };
  if (kind === 'factored') return { ...c, loss: { name: 'z-loss', options: lossOptions } };
  if (['sampled','nce','negative'].includes(kind)) return { ...c, samples: 500, proposal: 'unigram' };
  if (['rf','quadratic'].includes(kind)) return { ...c, samples: 100 };
  return c;
};
for (const kind of only ?? outputLayerNames) {
  const t0 = performance.now();
  const r0 = process.memoryUsage.rss();
  const layer = await createOutputLayer(backend, { features: d, frequencies }, choice(kind));
  const t1 = performance.now();
  const r1 = process.memoryUsage.rss();
  const batches = new MinibatchCycle(backend, { classes: D, features: d, batch: m, count: 16, distribution: 'zipf' });
  const { outputRate } = trainingDefaults(kind === 'factored' ? 'z-loss' : kind);
  const times = []; let loss = [];
  try {
  for (let i = 0; i < (['quadratic','full'].includes(kind) ? 4 : 40); i++) {
    const { hidden, targets } = batches.nextRedrawn();
    const s = performance.now();
    const r = await layer.step(hidden, targets, { learningRate: outputRate });
    times.push(performance.now() - s);
    const l = (await backend.read(r.losses)); loss.push(l.reduce((a, b) => a + b, 0) / m);
  } } catch (e) { console.log(kind, String(e)); }
  times.sort((a, b) => a - b);
  console.log(kind, layer.classes, 'create s', ((t1 - t0) / 1e3).toFixed(1), 'MB', ((r1 - r0) / 1e6).toFixed(0), 'median', times[times.length >> 1]?.toFixed(2), 'min', times[0]?.toFixed(2), 'max', times.at(-1)?.toFixed(1), 'loss', loss[0]?.toFixed(2), loss.at(-1)?.toFixed(2));
  layer[Symbol.dispose](); batches[Symbol.dispose]();
}
await backend.dispose();
