/** Labelled lines as `vastmax train` reads them: words of white space, labels by falling frequency. */
import { classesOf, createClassifierTexts, encodeLabelledTexts, type LabelledRows } from '@vastmax/lm-models/labels';
import { createTextReading } from '@vastmax/lm-models/text';
import { readLabelledTexts } from '@vastmax/sparse-data/node';
import {
  buildTextVocabulary,
  DEFAULT_LABEL_PREFIX,
  END_OF_TEXT,
  labelsByFrequency,
  noNgrams,
} from '@vastmax/sparse-data/records';

export interface LabelledFile {
  readonly rows: LabelledRows;
  /** Another file, with the words and labels of this one. */
  read(path: string): Promise<LabelledRows>;
}

export async function readLabelledFile(path: string): Promise<LabelledFile> {
  const read = await readLabelledTexts(path, { format: 'fasttext' });
  const texts = createClassifierTexts(
    createTextReading({ tokenizer: 'whitespace', letterCase: 'keep', endOfLine: END_OF_TEXT, unknown: '<unk>' }),
    buildTextVocabulary(read.words),
    { ...noNgrams, labelPrefix: DEFAULT_LABEL_PREFIX },
  );
  const classes = classesOf(labelsByFrequency(read.labels));
  return {
    rows: encodeLabelledTexts(texts, classes, read),
    read: async (other) => encodeLabelledTexts(texts, classes, await readLabelledTexts(other, { format: 'fasttext' })),
  };
}
