/** Where each weight of a model stands in files that go by the structure of the model. */
import { ShapeError } from '../../base/errors.ts';
import { sameShape, show } from '../../ops/shape.ts';
import type { Variable } from '../../ops/tensor.ts';
import type { Layer } from '../layers/layer.ts';
import { snakeCase } from '../names.ts';
import type { Values } from './values.ts';

export interface LayerPlace {
  readonly layer: Layer;
  /**
   * Keras's path: 'layers/dense_1'. It is made of the classes in snake case, counted within their model, and
   * does not depend on the layers' names.
   */
  readonly path: string;
  /** The weights that belong to this layer itself. */
  readonly weights: readonly Variable[];
}

/** The model and all layers inside, parents first. */
export function layerPlaces(root: Layer, path = ''): LayerPlace[] {
  const inner = root.layers;
  const theirs = new Set(inner.flatMap((layer) => layer.weights));
  const own = root.weights.filter((weight) => !theirs.has(weight));
  // A class of the user's may be called in letters of which no snake is made.
  const names = unique(inner.map(({ className }) => snakeCase(className) || 'layer'));
  const paths = root.innerPaths ?? names.map((name) => `layers/${name}`);
  return [
    { layer: root, path: root.weightsIn ? join(path, root.weightsIn) : path, weights: own },
    ...inner.flatMap((layer, i) => layerPlaces(layer, join(path, paths[i]))),
  ];
}

export const join = (path: string, name: string): string => (path === '' ? name : `${path}/${name}`);

/** Where each weight is: 'layers/dense_1/vars/0', as `.weights.h5` files have it. */
export const weightPaths = (root: Layer): Map<Variable, string> => {
  const paths = new Map<Variable, string>();
  for (const { path, weights } of layerPlaces(root))
    weights.forEach((weight, i) => {
      if (!paths.has(weight)) paths.set(weight, join(path, `vars/${i}`));
    });
  return paths;
};

/** What layers count, by the layer's path; further counts of a layer by their names too. */
export const statePlaces = (root: Layer): { layer: Layer; state: Variable; path: string }[] =>
  layerPlaces(root).flatMap(({ layer, path }) =>
    layer.states.map((state, i) => ({ layer, state, path: i === 0 ? path : `${path}/${state.name}` })),
  );

/** ShapeError, with the layer, unless the values found fit the weight that expects them. */
export function checkFit(found: Values | undefined, weight: Variable, layer: Layer, where: string): Values {
  if (found && sameShape(found.shape, weight.shape)) return found;
  throw new ShapeError(
    `${where}: layer ${layer.name} expects ${weight.name} ${show(weight.shape)}; found ${found ? show(found.shape) : 'nothing'}.`,
  );
}

/** Names that are there twice are numbered: 'adam/kernel_momentum', 'adam/kernel_momentum_1', … */
export function unique(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let numbered = name;
    for (let i = 1; taken.has(numbered); i++) numbered = `${name}_${i}`;
    taken.add(numbered);
    return numbered;
  });
}
