/**
 * Layers by function, as users make them: `layers.dense(10, { activation: 'softmax' })` or, with every
 * option in one object, `layers.dense({ units: 10, activation: 'softmax' })`. Options may also be
 * written in Keras's snake_case.
 */
import '../../graph/methods.ts';

export * from './all.ts';
export { Custom, custom, type LayerDefinition } from './custom.ts';
export {
  type BatchShape,
  type CallContext,
  type InputShape,
  Layer,
  type LayerOptions,
  type WeightOptions,
} from './layer.ts';
export { fromConfig } from './resolve.ts';
export { SymbolicTensor } from './symbolic.ts';
