/** `datasets`: ready-made data. */
export { fashionMnist } from './fashion-mnist.ts';
export { garments } from './garments/index.ts';
export { mnist } from './mnist.ts';
