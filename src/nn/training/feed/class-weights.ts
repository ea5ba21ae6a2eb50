/** `classWeight`: what the samples of each class count in the loss. */
import { ConfigError, ShapeError, ValueError } from '../../../base/errors.ts';
import type { TypedArray } from '../../../ops/dtype.ts';
import type { Tensor } from '../../../ops/tensor.ts';
import type { BatchShape } from '../../layers/layer.ts';
import { describe } from '../../names.ts';

/** The weight of each sample's class. One-hot rows count for the class of their largest value. */
export async function classWeights(given: unknown, y: Tensor, operation: string): Promise<Float32Array> {
  const weights = readClassWeight(given, operation);
  const width = y.rank > 1 ? y.shape[y.rank - 1] : 1;
  // One-hot rows that are here are looked at here: going to the GPU they would stay there.
  const classes =
    width === 1 ? (y.host ?? (await y.data())) : y.host ? largest(y.host, width) : await y.argMax(-1).data();
  const result = new Float32Array(y.shape[0]);
  for (let i = 0; i < result.length; i++) {
    const weight = weights.get(Math.round(classes[i]));
    if (weight === undefined)
      throw new ShapeError(
        `${operation}: classWeight has weights for ${weights.size} classes (${[...weights.keys()].join(', ')}), but y has class ${classes[i]} at position ${i}. Give every class a weight.`,
      );
    result[i] = weight;
  }
  return result;
}

/** The position of the largest number in each row. */
function largest(numbers: TypedArray, width: number): Int32Array {
  const result = new Int32Array(numbers.length / width);
  for (let row = 0; row < result.length; row++) {
    const start = row * width;
    let best = start;
    for (let i = start + 1; i < start + width; i++) if (numbers[i] > numbers[best]) best = i;
    result[row] = best - start;
  }
  return result;
}

function readClassWeight(given: unknown, operation: string): Map<number, number> {
  if (typeof given !== 'object' || given === null)
    throw new ConfigError(
      `${operation}: classWeight is ${describe(given)}; expected { 0: weight, 1: weight, … }.`,
    );
  const entries = given instanceof Map ? [...given] : Object.entries(given);
  return new Map(
    entries.map(([key, weight]) => {
      const number = Number(key);
      if (!Number.isInteger(number) || number < 0)
        throw new ValueError(
          `${operation}: classWeight has the class ${describe(key)}; classes are whole numbers from 0.`,
        );
      if (typeof weight !== 'number' || !Number.isFinite(weight))
        throw new ValueError(
          `${operation}: classWeight of class ${key} is ${describe(weight)}; expected a number.`,
        );
      return [number, weight] as const;
    }),
  );
}

/** ValueError when class weights name a class that the model does not have. */
export function checkClassWeight(given: unknown, outputShape: BatchShape, operation: string): void {
  if (given === null || given === undefined) return;
  const classes = classCount(outputShape);
  for (const number of readClassWeight(given, operation).keys())
    if (number >= classes)
      throw new ValueError(
        `${operation}: classWeight has a weight for class ${number}; the model has the classes 0 … ${classes - 1}.`,
      );
}

/** How many classes outputs tell apart: two where there is one output. */
const classCount = (outputShape: BatchShape): number => Math.max(2, outputShape.at(-1) ?? 2);
