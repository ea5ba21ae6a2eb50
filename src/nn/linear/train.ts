/** Trains many binary linear problems at once: all classes, and all folds of a cross-validation. */
import { ValueError } from '../../base/errors.ts';
import { capture } from '../../graph/capture.ts';
import { assignAll } from '../../graph/variables.ts';
import { tensor, variable, zeros } from '../../ops/constant.ts';
import { slice } from '../../ops/movement.ts';
import { SGD_EXTRAS, sgdLinear } from '../../ops/sgd-linear.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { Visits } from './visits.ts';

/** Samples of one class against others. */
export interface Problem {
  /** Which rows of x; positions in x. */
  readonly rows: ArrayLike<number>;
  /** The class of each row of x; those of class `positive` are to be told from the rest. */
  readonly labels: ArrayLike<number>;
  readonly positive: number;
  readonly seed: number;
}

export interface TrainingOptions {
  readonly loss: 'hinge' | 'log_loss';
  readonly alpha: number;
  readonly fitIntercept: boolean;
  readonly maxIter: number;
  readonly tol: number | null;
  readonly shuffle: boolean;
  readonly nIterNoChange: number;
}

/** What comes out: a row of each for every problem. */
export interface Trained {
  /** [problems, features] */
  readonly coef: Tensor;
  /** [problems] */
  readonly intercept: Tensor;
  /** Epochs of each problem. */
  readonly nIter: number[];
}

/**
 * A dispatch must end well within the seconds that an operating system grants. Each of its steps takes a
 * microsecond or two however small the model; and steps × models × features as many as these about 0.8 s on
 * llvmpipe with two cores.
 */
const MOST_STEPS = 4096;
const MOST_WORK = 1.6e8;

/** x: [n, features], not realised: its rows are read from where they are, at each step. */
export async function trainProblems(
  x: Tensor,
  problems: readonly Problem[],
  options: TrainingOptions,
): Promise<Trained> {
  const { loss, alpha, fitIntercept, maxIter, tol, nIterNoChange } = options;
  const [, features] = x.shape;
  const models = problems.length;
  const longest = Math.max(...problems.map(({ rows }) => rows.length));
  const steps = Math.max(1, Math.min(longest, MOST_STEPS, Math.floor(MOST_WORK / (models * features))));

  const state = variable(zeros([models, features + SGD_EXTRAS]), { trainable: false });
  const order = variable(zeros([models, longest], 'i32'), { trainable: false });
  const count = variable(zeros([models], 'i32'), { trainable: false });
  const position = variable(zeros([1], 'i32'), { trainable: false });
  const step = capture(
    () => {
      state.assign(
        sgdLinear([state, x, order, count, position], { loss, alpha, intercept: fitIntercept, steps }),
      );
      position.assign(position.add(steps));
    },
    { name: 'sgdLinear' },
  );
  const objectives = slice.bind(null, state, [0, features + 1], [models, 1]);

  const visits = problems.map(({ rows, seed }) => new Visits(rows.length, seed));
  const progress = problems.map(() => new Convergence(tol, nIterNoChange));
  const sums = new Float64Array(models);
  try {
    for (let epoch = 0; epoch < maxIter && progress.some(({ done }) => !done); epoch++) {
      if (options.shuffle) for (const one of visits) one.shuffle();
      await assignAll([
        [order, tensor(walks(problems, visits, longest), { shape: [models, longest] })],
        [count, tensor(Int32Array.from(problems, ({ rows }, m) => (progress[m].done ? 0 : rows.length)))],
        [position, zeros([1], 'i32')],
      ]);
      for (let done = 0; done < longest; done += steps) await step.replay();
      const reached = await objectives().data();
      progress.forEach((one, m) => {
        if (!one.done) one.add((reached[m] - sums[m]) / problems[m].rows.length);
        sums[m] = reached[m];
      });
    }
    const parts: [Tensor, Tensor] = [
      slice(state, [0, 0], [models, features]),
      slice(state, [0, features], [models, 1]).reshape([models]),
    ];
    const values = await Promise.all(parts.map((part) => part.data()));
    if (!values.every((numbers) => numbers.every(Number.isFinite)))
      throw new ValueError(
        'sgdClassifier: the weights are no longer finite. Scale x, to the range 0 … 1 for example.',
      );
    const [coef, intercept] = parts;
    return { coef, intercept, nIter: progress.map(({ epochs }) => epochs) };
  } finally {
    step.dispose();
    for (const one of [state, order, count, position]) one.dispose();
  }
}

/** [problems, longest]: the row of x at each step, r where it is of the class and −1 − r where it is not. */
function walks(problems: readonly Problem[], visits: readonly Visits[], longest: number): Int32Array {
  const walk = new Int32Array(problems.length * longest);
  problems.forEach(({ rows, labels, positive }, m) => {
    const { order } = visits[m];
    const start = m * longest;
    for (let i = 0; i < order.length; i++) {
      const row = rows[order[i]];
      walk[start + i] = labels[row] === positive ? row : -1 - row;
    }
  });
  return walk;
}

/** A problem is done when its mean objective has failed to get better by `tol` for some epochs in a row. */
class Convergence {
  epochs = 0;
  done = false;
  #best = Number.POSITIVE_INFINITY;
  #failures = 0;
  readonly #tol: number | null;
  readonly #patience: number;

  constructor(tol: number | null, patience: number) {
    this.#tol = tol;
    this.#patience = patience;
  }

  add(objective: number): void {
    this.epochs++;
    const failed = this.#tol !== null && objective > this.#best - this.#tol;
    this.#failures = failed ? this.#failures + 1 : 0;
    this.#best = Math.min(this.#best, objective);
    this.done = this.#failures >= this.#patience;
  }
}
