/**
 * Counter-based random tensors: `random.uniform` and `random.normal`. They stand here, and layers take them from where
 * they are made: what a page's first file offers and only later parts use would keep rolldown from putting what these
 * share into that file (a page that trains: 73 KB gzip, else 76, in eight files instead of five).
 */
export { normal, uniform } from './random.ts';
