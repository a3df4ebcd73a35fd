/** Evaluations, predictions and training steps of one network share its tape: one at a time, whenever they begin. */
import { createPlainBackend } from '@vastmax/linalg-core';
import { evaluateRanking } from '@vastmax/lm-models/metrics';
import { predictNextWords, Trainer } from '@vastmax/lm-models';
import { expect, it } from 'vitest';
import { eventsOf } from '../training/run-training.ts';
import { createToyModel, toyBatches, toyTraining, toyVocabulary } from '../training/toy-language.ts';

type ToyModel = Awaited<ReturnType<typeof createToyModel>>;

const calls = {
  evaluateRanking: (model: ToyModel) => evaluateRanking(model, toyBatches({ shuffle: false }), { limit: 100 }),
  predictNextWords: (model: ToyModel) =>
    predictNextWords(model, toyVocabulary, [['w1'], ['w2']], { k: 3, paddingWord: 'w0' }),
};
const names = Object.keys(calls) as (keyof typeof calls)[];

for (const first of names) {
  for (const second of names) {
    it(`${first}, and ${second} started beside it: refused, or as one after the other`, async () => {
      using model = await createToyModel(createPlainBackend(), 'z-loss');
      const alone = { [first]: await calls[first](model), [second]: await calls[second](model) };
      let refused = 0;
      for (let turns = 0; turns < 30; turns++) {
        const begun = calls[first](model);
        for (let turn = 0; turn < turns; turn++) await undefined;
        const beside = calls[second](model).then(
          (result) => result as unknown,
          (error: unknown) => ({ error }),
        );
        expect(await begun).toEqual(alone[first]);
        const result = await beside;
        if (typeof result === 'object' && result !== null && 'error' in result) {
          expect(result.error).toMatchObject({ code: 'busy' });
          refused++;
        } else expect(result).toEqual(alone[second]);
      }
      expect(refused).toBeGreaterThan(0);
    });
  }
}

it('a training step beside an evaluation is refused, and the evaluation is as if alone', async () => {
  using model = await createToyModel(createPlainBackend(), 'z-loss');
  using trainer = new Trainer(model, toyBatches(), toyTraining('z-loss', { examples: 500 }));
  const alone = await calls.evaluateRanking(model);
  const evaluation = calls.evaluateRanking(model);
  await expect(eventsOf(trainer)).rejects.toMatchObject({ code: 'busy' });
  expect(await evaluation).toEqual(alone);
  expect([trainer.step, trainer.batches.cursor()]).toEqual([0, toyBatches().cursor()]);
});
