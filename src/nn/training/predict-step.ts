/** The step that predict replays. */
import { type Captured, capture } from '../../graph/capture.ts';
import type { Tensor } from '../../ops/tensor.ts';
import type { Layer } from '../layers/layer.ts';
import { Origin } from './origin.ts';
import type { Engine } from './steps.ts';

export type PredictStep = Captured<readonly [Tensor], Tensor>;

/** A step with what it was made from. */
export function predictStep(model: Layer, engine: Engine): { step: PredictStep; origin: Origin } {
  const origin = new Origin(model);
  const step = capture(
    (x: Tensor) => {
      const y = model.run(x, { training: false });
      origin.note();
      return y;
    },
    { name: 'predict', engine },
  );
  return { step, origin };
}
