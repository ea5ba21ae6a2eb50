/** The step that predict replays. */
import { type Captured, capture } from '../../graph/capture.ts';
import type { Tensor } from '../../ops/tensor.ts';
import type { Predictor } from './objective.ts';
import type { Engine } from './steps.ts';

export type PredictStep = Captured<readonly [Tensor], Tensor>;

export const predictStep = (model: Predictor, engine: Engine): PredictStep =>
  capture((x: Tensor) => model.call(x, { training: false }), { name: 'predict', engine });
