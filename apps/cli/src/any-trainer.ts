/** A trainer of any model and minibatches, as far as the commands need it. */
import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';
import type { TrainingEvent, TrainingOptions, TrainingSnapshot } from '@vastmax/lm-models';
import type { OutputLayer } from '@vastmax/output-layer';

export interface AnyTrainer {
  readonly model: { readonly output: OutputLayer };
  readonly options: TrainingOptions;
  readonly step: number;
  readonly examples: number;
  run(signal?: AbortSignal): AsyncGenerator<TrainingEvent, void, undefined>;
  snapshot(): TrainingSnapshot;
  restore(snapshot: { readonly configuration: JsonObject; module(name: string): ModuleState }): Promise<void>;
}
