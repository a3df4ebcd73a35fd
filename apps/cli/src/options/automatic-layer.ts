/** `--output-layer auto`: the layer is chosen when the classes have been counted, and from then on it is as if given. */
import { chooseOutputLayer, type OutputLayerJob } from '@vastmax/lm-models';
import { UsageError } from '../terminal/errors.ts';
import { count } from '../terminal/terminal.ts';
import { hasLayer, layersOfOptions, type OutputLayerOptions, type WithLayer } from './output-layer-options.ts';

/** @throws UsageError where no layer has all the options that are given. */
export function checkAutomaticLayer(options: OutputLayerOptions): void {
  if (hasLayer(options) || layersOfOptions(options).length > 0) return;
  throw new UsageError('no output layer has all the options that are given; choose one by --output-layer');
}

/**
 * The options with the layer that the job takes, which is printed with the reason; as they are where one is given.
 * @throws UsageError where no layer has all the options that are given.
 */
export function withAutomaticLayer<Options extends OutputLayerOptions>(
  options: Options,
  job: OutputLayerJob,
): WithLayer<Options> {
  if (hasLayer(options)) return options;
  checkAutomaticLayer(options);
  const { layer, reason } = chooseOutputLayer(job, layersOfOptions(options));
  process.stdout.write(`output layer ${layer}: ${count(job.classes)} ${job.job}; ${reason}\n`);
  return { ...options, outputLayer: layer };
}
