/** The registry of output layers as the tables of docs/which-output-layer.md and docs/many-machines.md. */
import { outputLayers, type OutputLayerEntry } from '@vastmax/lm-models';

const header = [
  'layer',
  'what it is',
  'operations of a step',
  'grows with D',
  'probabilities',
  'several ranks',
  'adds classes',
  'rates: output, body',
] as const;

/** What each layer is. */
export function layersTable(layers: readonly OutputLayerEntry[] = outputLayers): string {
  return tableOf(header, layers.map(rowOf));
}

/** What each layer does over ranks; of those that cannot, why, and what to take instead. */
export function ranksTable(layers: readonly OutputLayerEntry[] = outputLayers): string {
  return tableOf(
    ['layer', 'over ranks', 'its rows, or why not'],
    layers.map(({ name, losses, abilities }) => [
      `\`${name}\`${losses === undefined ? '' : ', with every loss'}`,
      abilities.overRanks ? 'yes' : 'no',
      abilities.rowsOverRanks,
    ]),
  );
}

/** Compact, as the formatter leaves a table that is wider than a line. */
function tableOf(names: readonly string[], rows: readonly (readonly string[])[]): string {
  return [names, names.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function rowOf({ name, description, cost, abilities, training, losses }: OutputLayerEntry): readonly string[] {
  const rates = ({ outputRate, bodyRate }: typeof training): string => `${outputRate}, ${bodyRate}`;
  return [
    `\`${name}\``,
    description,
    cost.step,
    cost.growth,
    abilities.probabilities,
    abilities.overRanks ? 'yes' : 'no',
    abilities.addsClasses ? 'yes' : 'no',
    losses === undefined
      ? rates(training)
      : Object.entries(losses)
          .map(([loss, own]) => `${loss} ${rates(own)}`)
          .join('; '),
  ];
}
