/**
 * What is seldom asked for. What else is loaded stands with the model, where it is asked for: rolldown keeps all
 * that a file could load, and a page without models would carry files.
 */
import { loaded } from '../../../base/loaded.ts';

export const seldom = () => loaded('weft: what is seldom needed', import('./seldom.ts'));
