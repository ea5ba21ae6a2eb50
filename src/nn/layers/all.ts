/** Our layers, a row each: what users import, and what files are read into. */
export { Activation, type ActivationOptions, activation } from './activation.ts';
export { Dense, type DenseOptions, dense } from './dense.ts';
export { Dropout, type DropoutOptions, dropout } from './dropout.ts';
export { Flatten, flatten } from './flatten.ts';
export { InputLayer, type InputOptions, input } from './input.ts';
export {
  Add,
  Average,
  add,
  average,
  Concatenate,
  type ConcatenateOptions,
  concatenate,
  Dot,
  type DotOptions,
  dot,
  Maximum,
  Minimum,
  Multiply,
  maximum,
  minimum,
  multiply,
  Subtract,
  subtract,
} from './merging.ts';
export { Rescaling, type RescalingOptions, rescaling } from './rescaling.ts';
export { Reshape, type ReshapeOptions, reshape } from './reshape.ts';
