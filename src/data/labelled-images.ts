/** Images of one size with a class each, as bytes. */
export interface LabelledImages {
  /** [count, height, width], or [count, height, width, channels] where there are channels, row by row; 0 is black. */
  readonly images: Uint8Array;
  /** `[count]`: the class of each image. */
  readonly labels: Uint8Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** 3 of pictures in colour. */
  readonly channels?: number;
}

/** A data set of images for classification. */
export interface ImageDataset {
  readonly name: string;
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  /** Name of each class; labels are positions in this list. */
  readonly classNames: readonly string[];
  /** Where the data came from: a folder, a URL or the generator. */
  readonly source: string;
  /** True for generated data, which is no measure of accuracy on the real data set. */
  readonly synthetic: boolean;
}
