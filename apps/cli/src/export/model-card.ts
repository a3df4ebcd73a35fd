/** The README.md of a Hugging Face folder: YAML for the hub, and what a person wants to know of a model. */
import { count } from '../terminal/terminal.ts';

/** What a model answers. */
export type ModelTask =
  | 'next words'
  | 'classification of texts'
  | 'classification of points'
  | 'classification of vectors'
  | 'recommendation';

/** What the model's folder says of it. */
export interface CardFacts {
  readonly name: string;
  readonly task: ModelTask;
  readonly body: string;
  readonly output: string;
  readonly loss?: string;
  readonly classes: number;
  readonly inputs: number;
  readonly features: number;
  readonly parameters: number;
  readonly isNormalized: boolean;
  readonly steps?: number;
  readonly examples?: number;
  /** Names of the texts beside the weights. */
  readonly files: readonly string[];
}

const tasks: Readonly<
  Record<
    ModelTask,
    { readonly pipeline?: string; readonly tag: string; readonly predict: string; readonly classes: string }
  >
> = {
  'next words': {
    pipeline: 'text-generation',
    tag: 'language-model',
    predict: 'predict NAME the first words',
    classes: 'words',
  },
  'classification of texts': {
    pipeline: 'text-classification',
    tag: 'extreme-classification',
    predict: 'predict NAME "a text" -k 5',
    classes: 'labels',
  },
  'classification of points': {
    tag: 'extreme-classification',
    predict: 'predict NAME --input points.txt -k 5',
    classes: 'labels',
  },
  'classification of vectors': {
    tag: 'extreme-classification',
    predict: 'predict NAME --features vectors.npy -k 5',
    classes: 'labels',
  },
  recommendation: { tag: 'recommendation', predict: 'recommend NAME --items a,b,c', classes: 'items' },
};

/** @param extra.license as the hub calls it; metrics as `vastmax evaluate` names them. */
export function modelCard(
  facts: CardFacts,
  { license, metrics }: { readonly license?: string; readonly metrics: readonly (readonly [string, number])[] },
): string {
  const { name, task, body, output, loss, classes, inputs, features, parameters, isNormalized, files } = facts;
  const { pipeline, tag, predict, classes: whatClasses } = tasks[task];
  const yaml = [
    'library_name: vastmax',
    ...(license === undefined ? [] : [`license: ${license}`]),
    ...(pipeline === undefined ? [] : [`pipeline_tag: ${pipeline}`]),
    'tags:',
    ...[tag, body, output].map((each) => `  - ${each}`),
    ...(metrics.length === 0 ? [] : ['metrics:', ...metricNames(metrics).map((metric) => `  - ${metric}`)]),
  ];
  const rows: readonly (readonly [string, string])[] = [
    ['task', task],
    ['body', body],
    ['output layer', loss === undefined ? output : `${output}, ${loss}`],
    [whatClasses, count(classes)],
    ['inputs', count(inputs)],
    ['width below the output layer', count(features)],
    ['numbers', count(parameters)],
    ['scores', isNormalized ? 'of a distribution over all classes' : 'order the classes; no probabilities'],
    ...(facts.examples === undefined ? [] : [['trained on', `${count(facts.examples)} examples`] as const]),
    ...(facts.steps === undefined ? [] : [['steps', count(facts.steps)] as const]),
  ];
  return `---
${yaml.join('\n')}
---

# ${name}

A model of [vastmax](https://github.com/vastmax/vastmax) over ${count(classes)} ${whatClasses}.

    npx @vastmax/cli ${predict.replace('NAME', name)}

${markdownTable(['', ''], rows)}

## Evaluation

${
  metrics.length === 0
    ? 'No metrics were given when the model was exported.'
    : markdownTable(
        ['metric', 'value'],
        metrics.map(([metric, value]) => [metric, String(Number(value.toPrecision(6)))]),
      )
}

## Files

${markdownTable(
  ['file', 'what it is'],
  [
    ['model.safetensors', 'the weights, as `module/tensor`'],
    ['config.json', 'sizes and options, for other programs'],
    ...files.map((file) => [file, describeFile(file)] as const),
    ['checkpoint.json', 'the same options and the checksums of the files, which vastmax reads'],
  ],
)}
`;
}

/** Of `model.topAccuracy.10` topAccuracy; letters and digits alone, as YAML has them. */
function metricNames(metrics: readonly (readonly [string, number])[]): readonly string[] {
  const names = metrics.map(([path]) => path.split('.').findLast((part) => /^[a-z][a-z0-9]*$/i.test(part)));
  return [...new Set(names)].filter((name) => name !== undefined && name !== 'examples') as string[];
}

function describeFile(file: string): string {
  const known: Readonly<Record<string, string>> = {
    'vocabulary.json': 'the words or items, by number, with their counts',
    'labels.json': 'the labels, by number',
    'tokenizer.json': 'the tokenizer',
    'users.json': 'the names of the users, whose histories are among the weights',
  };
  return known[file] ?? 'part of the model';
}

function markdownTable(head: readonly [string, string], rows: readonly (readonly [string, string])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), '| --- | --- |', ...rows.map(line)].join('\n');
}
