/**
 * `.weights.h5`, which is also `model.weights.h5` inside a `.keras` file: weights by the structure of the
 * model, `layers/dense_1/vars/0`, and the optimizer's state as `optimizer/vars/0`, `1`, …
 *
 * Our random state is an attribute of the root, where Keras looks at nothing.
 */
import { ShapeError } from '../../base/errors.ts';
import type { Trainable } from '../training/trainable.ts';
import { type Contents, type Found, readState, stateText } from './contents.ts';
import { readHdf5, writeHdf5 } from './hdf5.ts';
import type { Hdf5 } from './hdf5-contents.ts';
import { parseJson } from './json.ts';
import { checkFit, join, layerPlaces } from './places.ts';
import type { Values } from './values.ts';

/** The root's attribute for what Keras has no place for. */
export const STATE_ATTRIBUTE = 'weft_state';

export function writeWeightsH5({ model, weights, optimizer, state }: Contents): Uint8Array {
  const file: Hdf5 = { groups: new Map(), arrays: new Map() };
  file.groups.set('', { [STATE_ATTRIBUTE]: stateText(state) });
  for (const { layer, path, weights: own } of layerPlaces(model)) {
    file.groups.set(join(path, 'vars'), { name: layer.name });
    own.forEach((weight, i) => {
      file.arrays.set(join(path, `vars/${i}`), weights.get(weight)!);
    });
  }
  if (optimizer) {
    file.groups.set('optimizer/vars', { name: optimizer.of.name });
    optimizer.values.forEach((values, i) => {
      file.arrays.set(`optimizer/vars/${i}`, values);
    });
    writeAside(file, optimizer.aside);
  }
  return writeHdf5(file);
}

export const readWeightsH5 = (bytes: Uint8Array, file: string): Promise<Hdf5> =>
  readHdf5(bytes, file, [STATE_ATTRIBUTE]);

/** What the file has for this model. ShapeError for a weight that is missing, too many, or of another shape. */
export function findWeights(file: Hdf5, model: Trainable, where: string): Found {
  const left = new Map(file.arrays);
  const take = (path: string): Values | undefined => {
    const values = left.get(path);
    left.delete(path);
    return values;
  };
  const weights = layerPlaces(model).flatMap(({ layer, path, weights: own }) =>
    own.map((weight, i) => {
      const at = join(path, `vars/${i}`);
      return [weight, checkFit(take(at), weight, layer, `${where}, ${at}`)] as const;
    }),
  );
  const optimizer: Values[] = [];
  for (let values = take('optimizer/vars/0'); values; values = take(`optimizer/vars/${optimizer.length}`))
    optimizer.push(values);
  for (const path of left.keys()) if (path.startsWith(`${ASIDE}/`)) left.delete(path);
  // Keras's dropout layers keep a generator that is of no use to ours.
  const extra = [...left.keys()].find((path) => !path.includes('seed_generator'));
  if (extra !== undefined)
    throw new ShapeError(
      `${where}, ${extra}: ${model.name} expects no such weight; found [${left.get(extra)!.shape.join(', ')}].`,
    );
  return {
    weights,
    optimizer: optimizer.length > 0 ? { values: optimizer, aside: asideIn(file) } : null,
    state: stateIn(file, where),
  };
}

/** Where what is kept beside frozen weights lies: Keras has no place for it and does not look here. */
const ASIDE = 'weft_slots';

export function writeAside(file: Hdf5, aside: ReadonlyMap<string, readonly Values[]>): void {
  for (const [path, slots] of aside)
    slots.forEach((values, i) => {
      file.arrays.set(`${ASIDE}/${path}/${i}`, values);
    });
}

export function asideIn({ arrays }: Hdf5): Map<string, Values[]> {
  const found = new Map<string, Values[]>();
  for (const path of arrays.keys()) {
    if (!path.startsWith(`${ASIDE}/`) || !path.endsWith('/0')) continue;
    const slots: Values[] = [];
    const stem = path.slice(0, -1);
    for (let one = arrays.get(path); one; one = arrays.get(`${stem}${slots.length}`)) slots.push(one);
    found.set(stem.slice(ASIDE.length + 1, -1), slots);
  }
  return found;
}

/** Our own state, where there is one. */
export function stateIn(file: Hdf5, where: string): Found['state'] {
  const text = file.groups.get('')?.[STATE_ATTRIBUTE];
  if (typeof text !== 'string') return null;
  const at = `${where}, attribute ${STATE_ATTRIBUTE}`;
  return readState(parseJson(text, at), at);
}
