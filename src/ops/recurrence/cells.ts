/** The cells of recurrent layers, as their kernels know them. */
import type { Attributes } from '../tensor.ts';

/** What differs from cell to cell, beside its formula. */
export interface CellFacts {
  /** The number that the kernels know it by. */
  readonly number: number;
  readonly gates: number;
  /** Gates that are made from the state at once; those behind wait for the reset gate. */
  readonly atOnce: number;
  /** Parts of the state: h, and c. */
  readonly states: number;
  /** What the gradient needs of each step: see recurrence.wgsl. */
  readonly saved: number;
}

export const cells = {
  simple: { number: 0, gates: 1, atOnce: 1, states: 1, saved: 2 },
  lstm: { number: 1, gates: 4, atOnce: 4, states: 2, saved: 6 },
  gru: { number: 2, gates: 3, atOnce: 3, states: 1, saved: 5 },
  gruResetBefore: { number: 3, gates: 3, atOnce: 2, states: 1, saved: 4 },
} as const satisfies Record<string, CellFacts>;

export type Cell = keyof typeof cells;

/** The activations that the kernels know, in their numbers: those whose slope follows from the result. */
export const CELL_ACTIVATIONS = ['linear', 'tanh', 'sigmoid', 'relu', 'hardSigmoid'] as const;

export type CellActivation = (typeof CELL_ACTIVATIONS)[number];

export interface RecurrenceAttributes extends Attributes {
  readonly cell: Cell;
  readonly activation: CellActivation;
  readonly recurrentActivation: CellActivation;
}

/** Workgroup memory that every adapter has, in words. */
const WORDS = 4096;

/** Lanes that share the units where there are most of them. */
const LANES = 64;

/**
 * Words of workgroup memory that the kernels keep for each row: of the walk `forward` the states in turn and what lanes
 * keep for themselves, of the walk `back` what leaves all gates.
 */
export const wordsOf = (
  { gates, atOnce, states }: CellFacts,
  units: number,
  copies: number,
): Record<'forward' | 'back', { readonly held: number; readonly own: number }> => ({
  forward: {
    held: (2 * copies + (atOnce < gates ? 1 : 0)) * units,
    own: (atOnce < gates ? 3 : states) * units,
  },
  back: { held: gates * units, own: states * units },
});

/** Whether one workgroup of any adapter has room for a row of so many units. */
export const hasRoom = (cell: Cell, units: number, copies: number): boolean => {
  const facts = cells[cell];
  const { forward, back } = wordsOf(facts, units, copies);
  return [forward, back].every(({ held, own }) => held + own + facts.gates * LANES < WORDS);
};
