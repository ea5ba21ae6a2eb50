/** Pictures of 28 × 28 on canvases. */
import { PIXELS, SIDE } from '../protocol.ts';
import { greys } from './colours.ts';

/** A canvas of 28 × 28 pixels, to be scaled by CSS. */
export function pictureCanvas(): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  canvas.className = 'picture';
  return canvas;
}

/** Paints bytes, 0 is ground, in the colours of the theme. */
export function paintBytes(canvas: HTMLCanvasElement, bytes: ArrayLike<number>): void {
  const image = new ImageData(SIDE, SIDE);
  const pixels = new Uint32Array(image.data.buffer);
  const map = greys();
  for (let i = 0; i < PIXELS; i++) pixels[i] = map[bytes[i]];
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}

/** The same for numbers from 0 to 1. */
export const paintShares = (canvas: HTMLCanvasElement, shares: ArrayLike<number>): void =>
  paintBytes(
    canvas,
    Uint8ClampedArray.from({ length: PIXELS }, (_, i) => 255 * shares[i]),
  );
