/** `datasets`: ready-made data. */
export { cifar10, cifar100 } from './cifar.ts';
export { fashionMnist } from './fashion-mnist.ts';
export { garments } from './garments/index.ts';
export { mnist } from './mnist.ts';
export { imdb, reuters } from './text/newswires.ts';
