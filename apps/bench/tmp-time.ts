import { createBackend, resolveBackend } from './src/measurement/backend-choice.ts';
import { settingsOf } from './src/workload/factored-layer.ts';
import { MinibatchCycle } from './src/workload/minibatches.ts';
import { createFactoredOutputLayer } from '@vastmax/spherical-losses';
const [, , name = 'openblas', m = '256', d = '256'] = process.argv;
const { backend } = await createBackend(await resolveBackend(name as never), 1);
const s = settingsOf('z-loss');
const classes = 33278, features = +d, batch = +m;
const layers = [];
for (const p of [undefined, 0.5, 1] as const)
  layers.push(await createFactoredOutputLayer(backend, { classes, features, loss: s.loss, bias: false, ...(p === undefined ? {} : { preconditioner: { power: p, ...(process.argv[5] ? JSON.parse(process.argv[5]) : {}) } }) }));
const batches = new MinibatchCycle(backend, { classes, features, batch, count: 16, distribution: 'zipf' });
const times: number[][] = [[], [], []];
for (let round = 0; round < 10; round++)
  for (const [i, layer] of layers.entries()) {
    const t = performance.now();
    for (let k = 0; k < 100; k++) { const { hidden, targets } = batches.next(); await layer.step(hidden, targets, { learningRate: s.learningRate }); }
    if (round > 0) times[i]!.push((performance.now() - t) / 100);
  }
const med = (a: number[]) => a.slice().sort((x, y) => x - y)[a.length >> 1]!;
const ratio = (i: number) => med(times[i]!.map((t, k) => t / times[0]![k]!));
console.log(name, m, d, times.map((t) => med(t).toFixed(3) + ' min ' + Math.min(...t).toFixed(3)).join(' | '), 'ratios', ratio(1).toFixed(3), ratio(2).toFixed(3));
for (const l of layers) console.log(JSON.stringify(l.counters));
process.exit(0);
