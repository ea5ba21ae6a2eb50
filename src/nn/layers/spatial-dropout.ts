/** Dropout of whole channels, whose neighbouring values say much the same (Tompson et al. 2015). */
import { ShapeError } from '../../base/errors.ts';
import { type Shape, show } from '../../ops/shape.ts';
import { type DataFormat, dataFormatRow } from './data-format.ts';
import { factory, layerOf, type OptionsOf } from './define.ts';
import { Dropping, droppingRows } from './dropout.ts';

abstract class SpatialDropping extends Dropping {
  protected abstract get format(): DataFormat;
  protected abstract get dimensions(): number;

  protected override maskShape(shape: Shape): Shape {
    if (shape.length !== this.dimensions + 2)
      throw new ShapeError(
        `${this.name}: input has shape ${show(shape)}; expected ${this.dimensions + 2} axes, of samples, places and channels.`,
      );
    const channels = this.format === 'channelsFirst' ? 1 : shape.length - 1;
    return shape.map((size, axis) => (axis === 0 || axis === channels ? size : 1));
  }
}

export type SpatialDropout1DOptions = OptionsOf<typeof droppingRows>;

/** Dropout of whole channels of sequences [N, steps, C]. */
export class SpatialDropout1D extends layerOf('SpatialDropout1D', droppingRows, SpatialDropping) {
  protected override get dimensions(): number {
    return 1;
  }

  protected override get format(): DataFormat {
    return 'channelsLast';
  }
}

/** Drops whole channels of sequences in training. */
export const spatialDropout1d = factory(SpatialDropout1D, 'rate');

const spatial2dRows = { ...droppingRows, dataFormat: dataFormatRow };

export type SpatialDropout2DOptions = OptionsOf<typeof spatial2dRows>;

/** Dropout of whole channels of pictures [N, height, width, C]. */
export class SpatialDropout2D extends layerOf('SpatialDropout2D', spatial2dRows, SpatialDropping) {
  protected override get dimensions(): number {
    return 2;
  }

  protected override get format(): DataFormat {
    return this.dataFormat;
  }
}

/** Drops whole channels of pictures in training. */
export const spatialDropout2d = factory(SpatialDropout2D, 'rate');
