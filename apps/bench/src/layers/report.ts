/** The registry of output layers as the table of docs/which-output-layer.md. */
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

/** Compact, as the formatter leaves a table that is wider than a line. */
export function layersTable(layers: readonly OutputLayerEntry[] = outputLayers): string {
  return [header, header.map(() => '---'), ...layers.map(rowOf)].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
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
