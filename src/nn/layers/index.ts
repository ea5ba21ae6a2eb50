/**
 * Layers by function, as users make them: `layers.dense(10, { activation: 'softmax' })` or, with every
 * option in one object, `layers.dense({ units: 10, activation: 'softmax' })`. Options may also be
 * written in Keras's snake_case.
 */
export { Activation, type ActivationOptions, activation } from './activation.ts';
export { Custom, custom, type LayerDefinition } from './custom.ts';
export { Dense, type DenseOptions, dense } from './dense.ts';
export { Dropout, type DropoutOptions, dropout } from './dropout.ts';
export { Flatten, flatten } from './flatten.ts';
export { InputLayer, type InputOptions, input } from './input.ts';
export {
  type BatchShape,
  type CallContext,
  type InputShape,
  Layer,
  type LayerOptions,
  type WeightOptions,
} from './layer.ts';
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
export { fromConfig } from './resolve.ts';
export { SymbolicTensor } from './symbolic.ts';
