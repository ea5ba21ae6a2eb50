/** Bindings start at multiples of this: WebGPU's default for storage and uniform buffers. */
export const ALIGNMENT = 256;

export const align = (bytes: number, to: number = ALIGNMENT): number => Math.ceil(bytes / to) * to;
