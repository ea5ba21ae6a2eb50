/** A worker that says how many steps it would put into one submit where a step takes a millisecond. */
import { Pace } from '../../src/nn/training/pace.ts';
import { settled } from './pace-clock.ts';

postMessage(settled((now) => new Pace(undefined, now), 1));
