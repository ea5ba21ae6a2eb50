/** Pictures turned, moved and zoomed: each value of the result is looked up where an affine map says it was. */
import { iota } from '../../ops/constant.ts';
import { kept } from '../../ops/kept.ts';
import { gather } from '../../ops/movement.ts';
import { where } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import type { Interpolation } from './resizing.ts';

/** What stands beyond the edges; see {@link fixed}. */
export type FillMode = 'reflect' | 'wrap' | 'constant' | 'nearest';

/** A number for all pictures, or one for each: [N, 1, 1]. */
type Coefficient = Tensor | number;

/** The value at (column, row) was at (a · column + b · row + c, …), in this order. */
export interface Affine {
  readonly column: readonly [Coefficient, Coefficient, Coefficient];
  readonly row: readonly [Coefficient, Coefficient, Coefficient];
}

export interface Looks {
  readonly interpolation: Interpolation;
  readonly fillMode: FillMode;
  readonly fillValue: number;
}

/**
 * Places on an axis of n values for places on an endless one: 'reflect' d c b a | a b c d | d c b a, 'wrap' a b c d | a b c d |
 * a b c d, 'nearest' a a a a | a b c d | d d d d.
 */
function fixed(place: Tensor, n: number, mode: FillMode): Tensor {
  // Places are whole: half of one more keeps a division that rounds down off the next one.
  const modulo = (size: number): Tensor => place.sub(place.add(0.5).div(size).floor().mul(size));
  if (mode === 'wrap') return modulo(n);
  if (mode !== 'reflect') return place.clip(0, n - 1);
  const within = modulo(2 * n);
  return within.minimum(within.neg().add(2 * n - 1));
}

/** x: [N, H, W, C] f32 → the same shape. */
export function transformed(x: Tensor, map: Affine, { interpolation, fillMode, fillValue }: Looks): Tensor {
  const [samples, height, width, channels] = x.shape;
  const columns = iota(width).cast('f32').reshape([1, 1, width]);
  const rows = iota(height).cast('f32').reshape([1, height, 1]);
  const [column, row] = [map.column, map.row].map(([a, b, c]) =>
    columns.mul(a).add(rows.mul(b)).add(c).broadcastTo([samples, height, width]),
  );
  const pixels = kept(x).reshape([samples * height * width, channels]);
  const first = iota(samples)
    .mul(height * width)
    .reshape([samples, 1, 1]);
  const at = (i: Tensor, j: Tensor): Tensor => {
    const place = fixed(i, height, fillMode)
      .mul(width)
      .add(fixed(j, width, fillMode));
    const found = gather(pixels, first.add(place.cast('i32')));
    if (fillMode !== 'constant') return found;
    const inside = i
      .greaterEqual(0)
      .logicalAnd(i.less(height))
      .logicalAnd(j.greaterEqual(0))
      .logicalAnd(j.less(width));
    return where(inside.expandDims(-1), found, fillValue);
  };
  if (interpolation === 'nearest') {
    // Halves away from 0, as in Keras.
    const whole = (place: Tensor): Tensor => place.abs().add(0.5).floor().mul(place.sign());
    return at(whole(row), whole(column));
  }
  const [above, left] = [row.floor(), column.floor()];
  const [down, right] = [row.sub(above).expandDims(-1), column.sub(left).expandDims(-1)];
  const line = (i: Tensor): Tensor =>
    at(i, left)
      .mul(right.neg().add(1))
      .add(at(i, left.add(1)).mul(right));
  return line(above)
    .mul(down.neg().add(1))
    .add(line(above.add(1)).mul(down));
}
