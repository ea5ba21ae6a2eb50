/** Numbers and their shape, row-major: what data functions take and give; `tensor(data, { shape })` takes it up. */
export interface NdArray<T extends NumberArray = NumberArray> {
  readonly data: T;
  readonly shape: number[];
}

export type NumberArray = Uint8Array | Int32Array | Uint32Array | Float32Array | Float64Array;
