/** Libraries of functions that come with the ops that call them, for ops that few pages load. */
export { default as random } from './lib/random.wgsl?raw';
export { default as remainder } from './lib/remainder.wgsl?raw';
export { default as trigonometry } from './lib/trigonometry.wgsl?raw';
