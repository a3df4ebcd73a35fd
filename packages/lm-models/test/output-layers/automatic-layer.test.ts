import { chooseOutputLayer, outputLayerNames, type OutputLayerJob } from '@vastmax/lm-models';
import { describe, expect, it } from 'vitest';

const words = { job: 'words', classes: 33_278, width: 129, batch: 256 } satisfies OutputLayerJob;
const labels = { job: 'labels', classes: 200_000, width: 129, batch: 256 } satisfies OutputLayerJob;

describe('chooseOutputLayer', () => {
  it.each<[string, OutputLayerJob, string]>([
    ['words that were measured', words, 'sampled'],
    ['more than that', { ...words, classes: 1_000_000 }, 'hybrid'],
    ['more than that over ranks', { ...words, classes: 1_000_000, overRanks: true }, 'hybrid'],
    ['few words', { ...words, classes: 300 }, 'full'],
    ['labels', labels, 'sampled'],
    ['several labels an example', { ...labels, targetsPerExample: 3.5 }, 'factored'],
    ['several labels of few', { ...labels, classes: 159, targetsPerExample: 2.4 }, 'full'],
  ])('takes for %s %s', (_, job, layer) => {
    expect(chooseOutputLayer(job)).toMatchObject({ layer, reason: expect.stringMatching(/\w/) as string });
  });

  it('takes the full softmax where it costs no more, and not a class further', () => {
    const layerAt = (classes: number): string => chooseOutputLayer({ ...words, classes }).layer;
    let classes = 1;
    while (layerAt(classes) === 'full') classes++;
    expect(classes).toBeGreaterThan(400);
    expect(classes).toBeLessThan(1000);
    expect(chooseOutputLayer({ ...words, classes: classes - 1 }).reason).toContain('no more than sampled');
  });

  it('takes one of those it is given', () => {
    for (const layer of outputLayerNames) expect(chooseOutputLayer(words, [layer]).layer).toBe(layer);
    expect(chooseOutputLayer({ ...words, classes: 50 }, ['adaptive', 'hybrid']).layer).toBe('hybrid');
    expect(chooseOutputLayer({ ...words, classes: 50, overRanks: true }, ['adaptive', 'nce']).layer).toBe('nce');
  });
});
