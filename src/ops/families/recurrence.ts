/** The kernel families of recurrent layers: a workgroup walks some rows through time, and back. */

import { LimitError } from '../../base/errors.ts';
import type { Profile } from '../../engine/profile.ts';
import type { Candidate } from '../../engine/tuning.ts';
import { alternatives, type KernelCall, type KernelFamily, type Lowered } from '../define.ts';
import { grid, lanesOf } from '../elementwise.ts';
import {
  CELL_ACTIVATIONS,
  type CellFacts,
  cells,
  type RecurrenceAttributes,
  wordsOf,
} from '../recurrence/cells.ts';

/** Which rows and units a workgroup's lanes share. */
interface Variant {
  /** Lanes beside each other over the units. */
  readonly ACROSS: number;
  /** Lanes over the rows. */
  readonly DOWN: number;
  /** Rows of a lane. */
  readonly ROWS: number;
}

const powerFrom = (least: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, least)));

/**
 * Software: a vector of lanes over the units, which has nobody to wait for; more rows a lane, so that a weight is loaded
 * once for all of them. A GPU: as many lanes as there are units, and few rows, so that many workgroups have work.
 */
function usual({ isSoftware, limits }: Profile, rows: number, units: number): Variant {
  if (isSoftware) {
    const lanes = lanesOf({ isSoftware, limits } as Profile);
    return { ACROSS: lanes, DOWN: 1, ROWS: rows >= 16 ? 8 : Math.max(1, Math.min(8, Math.ceil(rows / 2))) };
  }
  const most = Math.min(256, limits.maxComputeInvocationsPerWorkgroup);
  const ACROSS = Math.min(most, powerFrom(units));
  return { ACROSS, DOWN: Math.max(1, 64 / ACROSS), ROWS: ACROSS >= 64 ? 4 : 1 };
}

/** Fewer rows, until what a workgroup keeps has room. */
function fitting(
  variant: Variant,
  room: number,
  words: (rows: number, lanes: number) => number,
): Variant | null {
  let { ACROSS, DOWN, ROWS } = variant;
  while (words(DOWN * ROWS, ACROSS) > room) {
    if (DOWN > 1) DOWN /= 2;
    else if (ROWS > 1) ROWS = Math.ceil(ROWS / 2);
    else if (ACROSS > 64) ACROSS /= 2;
    else return null;
  }
  return { ACROSS, DOWN, ROWS };
}

function family(name: string, kernel: 'recurrence' | 'recurrence_backward'): KernelFamily {
  const isBackward = kernel === 'recurrence_backward';
  return {
    name,
    readsOften: true,
    lower({ inputs, attributes, profile, tuning }: KernelCall): Lowered {
      const { cell, activation, recurrentActivation } = attributes as RecurrenceAttributes;
      const facts: CellFacts = cells[cell];
      const { u, on, drop } = inputs;
      const [rows, steps] = on.shape;
      const [units] = u.shape;
      const COPIES = drop.shape[1];
      const room = profile.limits.maxComputeWorkgroupStorageSize / 4;
      const row = wordsOf(facts, units, COPIES)[isBackward ? 'back' : 'forward'];
      const total = (block: number, lanes: number): number =>
        block * (row.held + row.own + facts.gates * lanes);
      const asked = { ...usual(profile, rows, units), ...(tuning as Partial<Variant>) };
      // One word more: `matrix` is never empty.
      const variant = fitting(asked, room - 1, total);
      if (!variant)
        throw new LimitError(
          `${name}: ${units} units need ${4 * total(1, asked.ACROSS)} bytes of workgroup memory; this adapter has ${4 * room}.`,
        );
      const { ACROSS, DOWN, ROWS } = variant;
      const block = DOWN * ROWS;
      const [held, own] = [block * row.held, block * row.own];
      const SUMS = block * facts.gates * ACROSS;
      const matrix = units * facts.gates * units;
      const RESIDENT =
        (tuning.RESIDENT ?? !profile.isSoftware) === true && held + own + SUMS + matrix <= room;
      const TWICE = isBackward && 2 * held + own + SUMS + (RESIDENT ? matrix : 1) <= room;
      return {
        kernel,
        tuning: { ...variant, RESIDENT },
        tune: { GATES: facts.gates, AT_ONCE: facts.atOnce, ROWS, COPIES, TILE: ROWS * facts.gates },
        constants: {
          CELL: facts.number,
          ACTIVATION: CELL_ACTIVATIONS.indexOf(activation),
          RECURRENT_ACTIVATION: CELL_ACTIVATIONS.indexOf(recurrentActivation),
          ACROSS,
          WORKGROUP: ACROSS * DOWN,
          RESIDENT,
          MATRIX: RESIDENT ? matrix : 1,
          HELD: TWICE ? 2 * held : held,
          OWN: own,
          SUMS,
          ...(isBackward && { TWICE }),
        },
        params: { rows, steps, units },
        workgroups: grid(Math.ceil(rows / block), profile.limits.maxComputeWorkgroupsPerDimension),
      };
    },
    candidates: (): readonly Candidate[] =>
      alternatives(
        { ACROSS: 8, DOWN: 1, ROWS: 8, RESIDENT: false },
        { ACROSS: 64, DOWN: 1, ROWS: 4, RESIDENT: true },
        { ACROSS: 4, DOWN: 8, ROWS: 1, RESIDENT: true },
      ),
  };
}

export const recurrenceFamily = family('recurrence', 'recurrence');
export const recurrenceBackwardFamily = family('recurrenceBackward', 'recurrence_backward');
