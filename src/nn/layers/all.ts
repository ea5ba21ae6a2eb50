/** Our layers, a row each: what users import, and what files are read into. */
export { Activation, type ActivationOptions, activation } from './activation.ts';
export {
  ELU,
  type ELUOptions,
  elu,
  LeakyReLU,
  type LeakyReLUOptions,
  leakyReLU,
  PReLU,
  type PReLUOptions,
  prelu,
  ReLU,
  type ReLUOptions,
  reLU,
  relu,
  Softmax,
  type SoftmaxOptions,
  softmax,
} from './activations.ts';
export { Dense, type DenseOptions, dense } from './dense.ts';
export { Dropout, type DropoutOptions, dropout } from './dropout.ts';
export { Embedding, type EmbeddingOptions, embedding } from './embedding.ts';
export { Flatten, type FlattenOptions, flatten } from './flatten.ts';
export {
  GroupNormalization,
  type GroupNormalizationOptions,
  groupNormalization,
} from './group-normalization.ts';
export { InputLayer, type InputOptions, input } from './input.ts';
export {
  Cropping1D,
  type Cropping1DOptions,
  Cropping2D,
  type Cropping2DOptions,
  cropping1d,
  cropping2D,
  cropping2d,
  UpSampling1D,
  type UpSampling1DOptions,
  UpSampling2D,
  type UpSampling2DOptions,
  upSampling1d,
  upSampling2d,
  ZeroPadding1D,
  type ZeroPadding1DOptions,
  ZeroPadding2D,
  type ZeroPadding2DOptions,
  zeroPadding1d,
  zeroPadding2d,
} from './margins.ts';
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
export {
  GaussianDropout,
  type GaussianDropoutOptions,
  GaussianNoise,
  type GaussianNoiseOptions,
  gaussianDropout,
  gaussianNoise,
} from './noise.ts';
export {
  BatchNormalization,
  type BatchNormalizationOptions,
  batchNormalization,
  LayerNormalization,
  type LayerNormalizationOptions,
  layerNormalization,
  RMSNormalization,
  type RMSNormalizationOptions,
  rmsNormalization,
  UnitNormalization,
  type UnitNormalizationOptions,
  unitNormalization,
} from './normalization.ts';
export {
  Identity,
  identity,
  Lambda,
  type LambdaOptions,
  lambda,
  Permute,
  type PermuteOptions,
  permute,
  RepeatVector,
  type RepeatVectorOptions,
  repeatVector,
} from './rearranging.ts';
export { Rescaling, type RescalingOptions, rescaling } from './rescaling.ts';
export { Reshape, type ReshapeOptions, reshape } from './reshape.ts';
export {
  SpatialDropout1D,
  type SpatialDropout1DOptions,
  SpatialDropout2D,
  type SpatialDropout2DOptions,
  spatialDropout1d,
  spatialDropout2d,
} from './spatial-dropout.ts';
export { Normalization, type NormalizationOptions, normalization } from './standardization.ts';
