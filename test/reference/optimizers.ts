/**
 * Keras's optimizers in float64 loops, in Keras's formulas and with its defaults (keras/src/optimizers,
 * 3.15.1), which are not the textbook's: rmsprop has ε inside the root, adam's ε is not bias-corrected.
 */
export interface Optimizer {
  /** Changes every variable in place; each keeps its slots, whichever others are trained with it. */
  apply(variables: readonly Float64Array[], gradients: readonly Float64Array[]): void;
}

/** An optimizer from its rule for one variable; `slots` zeroed arrays of its size, `t` counts from 1. */
function optimizer(
  slots: number,
  rule: (w: Float64Array, g: Float64Array, slots: readonly Float64Array[], t: number) => void,
  slotValue = 0,
): Optimizer {
  const memory = new Map<Float64Array, Float64Array[]>();
  let t = 0;
  return {
    apply(variables, gradients) {
      t++;
      variables.forEach((w, at) => {
        const own =
          memory.get(w) ?? Array.from({ length: slots }, () => new Float64Array(w.length).fill(slotValue));
        memory.set(w, own);
        rule(w, gradients[at], own, t);
      });
    },
  };
}

export function sgd({ learningRate = 0.01, momentum = 0, nesterov = false } = {}): Optimizer {
  return optimizer(1, (w, g, [m]) => {
    for (let i = 0; i < w.length; i++) {
      if (momentum === 0) {
        w[i] -= learningRate * g[i];
        continue;
      }
      m[i] = momentum * m[i] - learningRate * g[i];
      w[i] += nesterov ? momentum * m[i] - learningRate * g[i] : m[i];
    }
  });
}

export function rmsprop({
  learningRate = 0.001,
  rho = 0.9,
  momentum = 0,
  epsilon = 1e-7,
  centered = false,
} = {}): Optimizer {
  return optimizer(3, (w, g, [v, average, m]) => {
    for (let i = 0; i < w.length; i++) {
      v[i] = rho * v[i] + (1 - rho) * g[i] * g[i];
      average[i] = rho * average[i] + (1 - rho) * g[i];
      const spread = centered ? v[i] - average[i] * average[i] : v[i];
      m[i] = momentum * m[i] + (learningRate * g[i]) / Math.sqrt(spread + epsilon);
      w[i] -= m[i];
    }
  });
}

export function adam({
  learningRate = 0.001,
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-7,
  weightDecay = 0,
} = {}): Optimizer {
  return optimizer(2, (w, g, [m, v], t) => {
    const alpha = (learningRate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
    for (let i = 0; i < w.length; i++) {
      w[i] -= learningRate * weightDecay * w[i];
      m[i] += (g[i] - m[i]) * (1 - beta1);
      v[i] += (g[i] * g[i] - v[i]) * (1 - beta2);
      w[i] -= (m[i] * alpha) / (Math.sqrt(v[i]) + epsilon);
    }
  });
}

export const adamw = (options: Parameters<typeof adam>[0] = {}): Optimizer =>
  adam({ weightDecay: 0.004, ...options });

export function adagrad({
  learningRate = 0.001,
  initialAccumulatorValue = 0.1,
  epsilon = 1e-7,
} = {}): Optimizer {
  return optimizer(
    1,
    (w, g, [sum]) => {
      for (let i = 0; i < w.length; i++) {
        sum[i] += g[i] * g[i];
        w[i] -= (learningRate * g[i]) / Math.sqrt(sum[i] + epsilon);
      }
    },
    initialAccumulatorValue,
  );
}
