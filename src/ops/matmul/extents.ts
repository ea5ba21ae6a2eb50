/** The sizes of a product, and the message when there is none. */
import { ShapeError } from '../../base/errors.ts';
import type { MatmulOptions } from '../matmul.ts';
import { broadcastShapes, type Shape, show } from '../shape.ts';

/** The letters of the product: y[batch, rows, columns] = Σ a[batch, rows, inner] · b[batch, inner, columns]. */
export interface Extents {
  readonly batch: Shape;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** Checks that a · b exists, and names its sizes. */
export function extentsOf(
  a: Shape,
  b: Shape,
  { transposeA = false, transposeB = false }: MatmulOptions,
): Extents {
  const flags = `transposeA: ${transposeA}, transposeB: ${transposeB}`;
  if (a.length < 2 || b.length < 2)
    throw new ShapeError(
      `matmul: a ${show(a)} · b ${show(b)} (${flags}): both must have rank 2 or more. ` +
        `Make a vector a matrix first: ${a.length < 2 ? 'a.reshape([1, -1])' : 'b.reshape([-1, 1])'}.`,
    );
  const [rows, innerA] = lastTwo(a, transposeA);
  const [innerB, columns] = lastTwo(b, transposeB);
  if (innerA !== innerB)
    throw new ShapeError(
      `matmul: a ${show(a)} · b ${show(b)} (${flags}): inner sizes ${innerA} and ${innerB} differ.${remedy(a, b, transposeA, transposeB)}`,
    );
  const [batchA, batchB] = [a.slice(0, -2), b.slice(0, -2)];
  return {
    batch: broadcastShapes(batchA, batchB, `matmul: a ${show(a)} · b ${show(b)}: batches`),
    rows,
    inner: innerA,
    columns,
  };
}

function lastTwo(shape: Shape, transposed: boolean): [number, number] {
  const [p, q] = shape.slice(-2);
  return transposed ? [q, p] : [p, q];
}

/** The flag whose flip makes the inner sizes meet, if there is one. */
function remedy(a: Shape, b: Shape, transposeA: boolean, transposeB: boolean): string {
  const meets = (flipA: boolean, flipB: boolean) =>
    lastTwo(a, flipA)[1] === lastTwo(b, flipB)[0]
      ? ` Pass { transposeA: ${flipA}, transposeB: ${flipB} }?`
      : '';
  return (
    meets(transposeA, !transposeB) ||
    meets(!transposeA, transposeB) ||
    ' The columns of a must be as many as the rows of b.'
  );
}

export const shapeOf = ({ batch, rows, columns }: Extents): Shape => [...batch, rows, columns];
