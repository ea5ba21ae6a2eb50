/**
 * Layers by function, as users make them: `layers.dense(10, { activation: 'softmax' })` or, with every
 * option in one object, `layers.dense({ units: 10, activation: 'softmax' })`. Options may also be
 * written in Keras's snake_case.
 */
export type { ActivationOptions, InputOptions, RescalingOptions, ReshapeOptions } from './core.ts';
export { Activation, Flatten, InputLayer, Rescaling, Reshape } from './core.ts';
export { Custom, type LayerDefinition } from './custom.ts';
export { Dense, type DenseOptions } from './dense.ts';
export { Dropout, type DropoutOptions } from './dropout.ts';
export * from './factories.ts';
export { type BatchShape, type CallContext, Layer, type LayerOptions, type WeightOptions } from './layer.ts';
export { fromConfig } from './resolve.ts';
