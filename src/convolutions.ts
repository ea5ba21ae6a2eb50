/** Convolution, pooling and resizing. A part of its own, so that a page without them does not reach them. */
export {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv1dTranspose,
  conv2d,
  conv2dTranspose,
  conv3d,
  conv3dTranspose,
} from './ops/convolution.ts';
export { type DepthwiseConvOptions, depthwiseConv1d, depthwiseConv2d } from './ops/depthwise.ts';
export { avgPool, maxPool, type PoolOptions } from './ops/pooling.ts';
export { type ResizeOptions, resize } from './ops/resize.ts';
