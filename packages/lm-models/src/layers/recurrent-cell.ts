import type { Tape, Variable } from '@vastmax/autodiff';
import type { Backend } from '@vastmax/linalg-core';
import type { RandomGenerator } from '@vastmax/sparse-data';
import type { Parameter } from '../parameters.ts';
import { createGru } from './gru-cell.ts';
import { createLstm } from './lstm-cell.ts';

/**
 * One layer of a recurrent network. Its state is a list of B×h variables, of which the first is what the layer puts
 * out.
 */
export interface RecurrentCell {
  /** h. */
  readonly hidden: number;
  /** How many matrices its state has. */
  readonly stateSize: number;
  readonly parameters: readonly Parameter[];
  /**
   * Puts the layer's parameters on the step's tape, and does for all T steps at once what does not depend on the state.
   * @param x T·B×inputs.
   */
  begin(tape: Tape, x: Variable): RecurrentStep;
}

interface RecurrentStep {
  /** T·B×(gates·h), the inputs' part of all gates. */
  readonly projected: Variable;
  /** The state after one step. @param projected B×(gates·h), the rows of that step. */
  advance(projected: Variable, state: readonly Variable[]): readonly Variable[];
}

export interface CellOptions {
  /** Names its parameters: `layer.0`. */
  readonly name: string;
  readonly inputs: number;
  readonly hidden: number;
  /** Standard deviation of what comes in at the start. */
  readonly inputScale: number;
  readonly random: RandomGenerator;
}

export const cellNames = ['lstm', 'gru'] as const;
export type CellName = (typeof cellNames)[number];

export function createCell(name: CellName, backend: Backend, options: CellOptions): RecurrentCell {
  return name === 'lstm' ? createLstm(backend, options) : createGru(backend, options);
}
