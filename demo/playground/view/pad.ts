/**
 * The sheet to draw on, to drop a picture on, or to take a picture of the data from; and beside it, what the
 * network gets to see.
 */
import { PIXELS, SIDE } from '../protocol.ts';
import { css } from './colours.ts';
import { byId } from './dom.ts';
import { type Ink, inkOfImage, type Placement, place, shrink } from './fit.ts';
import { paint } from './frames.ts';
import { paintShares, pictureCanvas } from './pictures.ts';

/** Side of the sheet in its own pixels. */
const SHEET = 280;

/** Larger image files are not decoded: browsers give up on them in their own ways. */
const MAX_IMAGE_BYTES = 32 * 2 ** 20;

/** How far an arrow key moves the pen. */
const STRIDE = 10;

export class Pad {
  private readonly canvas = byId<HTMLCanvasElement>('pad');
  private readonly hint = byId('pad-hint');
  private readonly pen = byId<HTMLInputElement>('pen-width');
  private readonly fitted = byId<HTMLInputElement>('fit-picture');
  /** Alpha is ink. */
  private readonly sheet = sheetContext();
  private readonly preview = pictureCanvas();
  private readonly panel: { invalidate(): void };
  private readonly changed: (pixels: Float32Array | null) => void;
  private placement: Placement = { size: 20, centre: 'mass' };
  /** A picture of the data, to be judged as it is until somebody draws on it. */
  private exact: Float32Array | null = null;
  private isEmpty = true;
  /** What lies there is a suggestion: the first stroke takes its place. */
  private isSuggestion = false;
  /** Somebody wants an empty sheet. */
  private isCleared = false;
  private isFresh = false;
  private at = { x: SHEET / 2, y: SHEET / 2 };
  private isHeld = false;
  private hasKeyboard = false;

  /** `changed` gets each new picture as the network shall see it, or null for none. */
  constructor(changed: (pixels: Float32Array | null) => void) {
    this.changed = changed;
    byId('preview').append(this.preview);
    this.panel = paint(this.canvas, () => this.draw());
    this.canvas.addEventListener('pointerdown', (event) => this.down(event));
    this.canvas.addEventListener('pointermove', (event) => this.move(event));
    for (const end of ['pointerup', 'pointercancel'] as const) {
      this.canvas.addEventListener(end, () => {
        this.isHeld = false;
      });
    }
    this.canvas.addEventListener('keydown', (event) => this.key(event));
    this.canvas.addEventListener('blur', () => this.useKeyboard(false));
    this.fitted.addEventListener('change', () => this.touch());
    byId('clear-drawing').addEventListener('click', () => this.clear());
  }

  /** How the present data place their pictures. */
  place(placement: Placement): void {
    this.placement = placement;
    if (!this.isEmpty && !this.exact) this.touch();
  }

  clear(): void {
    this.sheet.clearRect(0, 0, SHEET, SHEET);
    this.exact = null;
    this.isEmpty = true;
    this.isSuggestion = false;
    this.isCleared = true;
    this.touch();
  }

  /** Lays a picture of the data on an untouched sheet, so that there is something to watch. */
  suggest(bytes: Uint8Array): boolean {
    if (this.isCleared || !(this.isEmpty || this.isSuggestion)) return false;
    this.take(bytes);
    this.isSuggestion = true;
    return true;
  }

  /** A picture of the data: PIXELS bytes. */
  take(bytes: Uint8Array): void {
    const image = new ImageData(SIDE, SIDE);
    for (let i = 0; i < PIXELS; i++) image.data[4 * i + 3] = bytes[i];
    const small = pictureCanvas();
    small.getContext('2d')?.putImageData(image, 0, 0);
    this.sheet.clearRect(0, 0, SHEET, SHEET);
    this.sheet.imageSmoothingEnabled = false;
    this.sheet.drawImage(small, 0, 0, SHEET, SHEET);
    this.exact = Float32Array.from(bytes, (byte) => byte / 255);
    this.isEmpty = false;
    this.isSuggestion = false;
    this.touch();
  }

  /** An image file. Throws with words for the user when it is none. */
  async open(file: Blob): Promise<void> {
    if (file.size > MAX_IMAGE_BYTES) {
      throw new RangeError(`The picture has ${(file.size / 2 ** 20).toFixed(0)} MiB; at most 32 are opened.`);
    }
    const bitmap = await createImageBitmap(file).catch(() => {
      throw new TypeError('The file is no picture that this browser can read.');
    });
    const scale = SHEET / Math.max(bitmap.width, bitmap.height);
    const [width, height] = [bitmap.width, bitmap.height].map((side) =>
      Math.max(1, Math.round(side * scale)),
    );
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (!context) return;
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, 0, 0, width, height);
    bitmap.close();
    this.spread(inkOfImage(context.getImageData(0, 0, width, height).data, width, height));
  }

  /** Lays ink in the middle of the sheet. */
  private spread({ values, width, height }: Ink): void {
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; i++) image.data[4 * i + 3] = Math.round(255 * values[i]);
    this.sheet.clearRect(0, 0, SHEET, SHEET);
    this.sheet.putImageData(image, Math.round((SHEET - width) / 2), Math.round((SHEET - height) / 2));
    this.exact = null;
    this.isEmpty = false;
    this.isSuggestion = false;
    this.touch();
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.isHeld = true;
    this.useKeyboard(false);
    this.at = this.positionOf(event);
    this.line(this.at);
  }

  private move(event: PointerEvent): void {
    if (!this.isHeld) return;
    // Between two frames a pen moves further than a straight line would do justice to.
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const one of passed.length > 0 ? passed : [event]) this.line(this.positionOf(one));
  }

  private positionOf(event: PointerEvent): { x: number; y: number } {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return { x: ((event.clientX - left) / width) * SHEET, y: ((event.clientY - top) / height) * SHEET };
  }

  private key(event: KeyboardEvent): void {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (by) {
      const inside = (value: number) => Math.min(SHEET - STRIDE, Math.max(STRIDE, value));
      const to = { x: inside(this.at.x + by[0] * STRIDE), y: inside(this.at.y + by[1] * STRIDE) };
      if (event.shiftKey) this.line(to);
      this.at = to;
    } else if (event.key === ' ') {
      this.line(this.at);
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
    this.useKeyboard(true);
  }

  private useKeyboard(has: boolean): void {
    this.hasKeyboard = has;
    this.panel.invalidate();
  }

  /** From where the pen is. */
  private line(to: { x: number; y: number }): void {
    const { sheet } = this;
    if (this.isSuggestion) this.clear();
    sheet.lineCap = 'round';
    sheet.lineJoin = 'round';
    sheet.lineWidth = Number(this.pen.value);
    sheet.beginPath();
    sheet.moveTo(this.at.x, this.at.y);
    sheet.lineTo(to.x, to.y + 0.01); // a line of no length draws no cap in some browsers
    sheet.stroke();
    this.at = to;
    this.exact = null;
    this.isEmpty = false;
    this.touch();
  }

  private touch(): void {
    this.isFresh = true;
    this.panel.invalidate();
  }

  private draw(): void {
    const context = this.canvas.getContext('2d');
    if (!context) return;
    context.globalCompositeOperation = 'source-over';
    context.clearRect(0, 0, SHEET, SHEET);
    context.drawImage(this.sheet.canvas, 0, 0);
    context.globalCompositeOperation = 'source-in';
    context.fillStyle = css('--picture-ink');
    context.fillRect(0, 0, SHEET, SHEET);
    context.globalCompositeOperation = 'destination-over';
    context.fillStyle = css('--picture-ground');
    context.fillRect(0, 0, SHEET, SHEET);
    context.globalCompositeOperation = 'source-over';
    if (this.hasKeyboard) this.drawPen(context);

    const pixels = this.pixels();
    paintShares(this.preview, pixels ?? new Float32Array(PIXELS));
    this.hint.hidden = !(this.isEmpty || this.isSuggestion);
    if (this.isFresh) this.changed(pixels);
    this.isFresh = false;
  }

  private drawPen(context: CanvasRenderingContext2D): void {
    context.strokeStyle = css('--focus');
    context.lineWidth = 3;
    context.beginPath();
    context.arc(this.at.x, this.at.y, Math.max(6, Number(this.pen.value) / 2), 0, 2 * Math.PI);
    context.stroke();
  }

  private pixels(): Float32Array | null {
    if (this.exact) return this.exact.slice();
    if (this.isEmpty) return null;
    const { data } = this.sheet.getImageData(0, 0, SHEET, SHEET);
    const values = new Float32Array(SHEET * SHEET);
    for (let i = 0; i < values.length; i++) values[i] = data[4 * i + 3] / 255;
    const ink = { values, width: SHEET, height: SHEET };
    return this.fitted.checked ? place(ink, this.placement) : shrink(ink);
  }
}

function sheetContext(): CanvasRenderingContext2D {
  const canvas = document.createElement('canvas');
  canvas.width = SHEET;
  canvas.height = SHEET;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('This browser gives no 2D canvas.');
  return context;
}
