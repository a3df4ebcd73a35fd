/** `--output-layer auto`: the layer is chosen when the classes have been counted, and from then on it is as if given. */
import { chooseOutputLayer, type OutputLayerJob } from '@vastmax/lm-models';
import { count } from '../terminal/terminal.ts';
import { layersOfOptions, type WithLayer } from './output-layer-choice.ts';
import type { OutputLayerOptions } from './output-layer-options.ts';

interface ChosenLayer<Options extends OutputLayerOptions> {
  readonly options: WithLayer<Options>;
  /** A line for standard output: the layer and why. */
  readonly note: string;
}

/** @param options that several layers fit. */
export function withAutomaticLayer<Options extends OutputLayerOptions>(
  options: Options,
  job: OutputLayerJob,
): ChosenLayer<Options> {
  const { layer, reason } = chooseOutputLayer(job, layersOfOptions(options));
  return {
    options: { ...options, outputLayer: layer },
    note: `output layer ${layer}: ${count(job.classes)} ${job.job}; ${reason}\n`,
  };
}
