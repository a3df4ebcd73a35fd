/** A body as configuration: plain JSON, what a command line is turned into and checkpoints keep. */
import type { BagBodyOptions } from './bag-body.ts';
import type { RecurrentBodyOptions } from './recurrent-body.ts';

export type BagChoice = { readonly kind: 'bag' } & Omit<BagBodyOptions, 'inputs'>;
export type RecurrentChoice = { readonly kind: 'recurrent' } & Omit<RecurrentBodyOptions, 'inputs'>;
export type BodyChoice = BagChoice | RecurrentChoice;
