/** Options as Python spells them, as ours. */
import { camelCase } from '../../../src/nn/names.ts';

export const camel = <T>(options: object): T =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [camelCase(key), value])) as T;
