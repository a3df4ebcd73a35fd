/** Next words of a text: an n-gram language model. Every tenth line is held out. */
import { createTextModel, createTextReading, type TextModel, type TextSettings } from '@vastmax/lm-models/text';
import { countTokens, encodeTokens, type Vocabulary } from '@vastmax/sparse-data';
import type { Job, JobModel } from './job.ts';

/** As `vastmax start` reads its text; a checkpoint says so. */
const settings: TextSettings = { tokenizer: 'words', letterCase: 'lower', endOfLine: '<eos>', unknown: '<unk>' };

const heldOutEvery = 10;
/** With fewer lines a text is cut into parts of so many characters, or there would be none to hold out. */
const minLines = 20;
const partLength = 1000;

/** @throws Error for a text of which nothing can be learned. */
export async function createTextJob(title: string, text: string): Promise<Job> {
  const reading = createTextReading(settings);
  const options = { tokenize: reading.tokenize, endOfLine: settings.endOfLine };
  const lines = linesOf(text);
  const isHeld = (index: number): boolean => index % heldOutEvery === heldOutEvery - 1;
  const trained = lines.filter((_, index) => !isHeld(index));
  const held = lines.filter((_, index) => isHeld(index));
  const counter = await countTokens(trained, options);
  const vocabulary = counter.build({
    minimumCount: 2,
    specialTokens: [settings.endOfLine, settings.unknown],
    unknownToken: settings.unknown,
  });
  if (vocabulary.size < 10 || held.length === 0)
    throw new Error(`${title}: too short to learn from; at least ten words must occur twice, and ten lines are needed`);
  const data = {
    train: await encodeTokens(trained, vocabulary, options),
    held: await encodeTokens(held, vocabulary, options),
  };
  return {
    title: `${title}: ${count(data.train.length)} words to learn from, ${count(vocabulary.size)} different ones`,
    classes: vocabulary.size,
    createModel: async (backend, { order, embedding, hidden, batch }, output) => {
      const model = await createTextModel(
        backend,
        vocabulary,
        { model: 'ngram' },
        { body: { kind: 'ngram', order, embedding, hidden: [hidden], activation: 'tanh', seed: 1 }, output },
      );
      return modelOfText(model, vocabulary, data, batch);
    },
  };
  function modelOfText(
    model: TextModel,
    words: Vocabulary,
    { train, held: heldOut }: { readonly train: Int32Array; readonly held: Int32Array },
    batchSize: number,
  ): JobModel {
    const paddingId = words.idOf(settings.endOfLine) ?? 0;
    const { batches } = model.trainingBatches({ tokens: train, paddingId }, { batchSize, seed: 1 });
    return {
      network: model.network as unknown as JobModel['network'],
      batches,
      evaluate: (limit) => model.evaluate({ tokens: heldOut, paddingId }, { limit }),
      words: { model, reading },
      [Symbol.dispose]: () => {
        model[Symbol.dispose]();
      },
    };
  }
}

function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length >= minLines) return lines;
  return text.replaceAll(/\s+/g, ' ').match(new RegExp(`.{1,${partLength}}(?: |$)|.{${partLength}}`, 'gu')) ?? [];
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
