/** How kernels are run that make each output from a line of elements: by one lane, or by a workgroup that shares it. */
import type { Candidate } from '../../engine/tuning.ts';
import { WORKGROUP } from '../cooperate.ts';
import { alternatives, type KernelCall, type Lowered } from '../define.ts';
import { grid, lanesOf } from '../elementwise.ts';

/** `usual`: would a workgroup share each of the `outputs`, if nothing were measured or pinned? */
export function cooperating(
  { profile, tuning }: KernelCall,
  outputs: number,
  usual: boolean,
): Pick<Lowered, 'tuning' | 'constants' | 'workgroups'> {
  const COOPERATE = (tuning.COOPERATE as boolean | undefined) ?? usual;
  const lanes = COOPERATE ? WORKGROUP : lanesOf(profile);
  return {
    tuning: { COOPERATE },
    constants: { WORKGROUP: lanes, COOPERATE },
    workgroups: grid(
      COOPERATE ? outputs : Math.ceil(outputs / lanes),
      profile.limits.maxComputeWorkgroupsPerDimension,
    ),
  };
}

export const eitherWay = (): readonly Candidate[] => alternatives({ COOPERATE: false }, { COOPERATE: true });
