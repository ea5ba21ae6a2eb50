/** The door to what training does beside passes over samples. */
import { loaded } from '../../base/loaded.ts';

export const further = () => loaded('weft: what is further to training', import('./further/index.ts'));
