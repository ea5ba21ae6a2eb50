/** What `adapt` of a layer is given: data, or a dataset of them. */
import { isDataset } from '../../data/pipeline/is-dataset.ts';

/** Hands on the data, or of each element of a dataset its inputs: x of [x, y] or { x, y }, or the element itself. */
export async function eachPart(data: unknown, take: (part: unknown) => void | Promise<void>): Promise<void> {
  if (!isDataset(data)) return take(data);
  for await (const element of data)
    await take(Array.isArray(element) ? element[0] : ((element as { x?: unknown }).x ?? element));
}
