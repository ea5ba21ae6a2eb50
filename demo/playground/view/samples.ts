/** A picture of each class, to be tried with a press: the way to the bars without a pen. */
import { type DataFacts, PIXELS } from '../protocol.ts';
import { byId, make } from './dom.ts';
import { paint } from './frames.ts';
import { paintBytes, pictureCanvas } from './pictures.ts';

interface Sample {
  readonly canvas: HTMLCanvasElement;
  readonly bytes: Uint8Array;
}

export class SampleButtons {
  private readonly list = byId('samples');
  private readonly chosen: (bytes: Uint8Array, name: string) => void;
  private readonly panel: { invalidate(): void };
  private samples: Sample[] = [];

  constructor(chosen: (bytes: Uint8Array, name: string) => void) {
    this.chosen = chosen;
    this.panel = paint(this.list, () => {
      for (const { canvas, bytes } of this.samples) paintBytes(canvas, bytes);
    });
  }

  /** Shows the first of each class; gives the last. */
  ready({ samples, sampleLabels, classNames }: DataFacts): { bytes: Uint8Array; name: string } {
    const items: HTMLElement[] = [];
    let last = { bytes: samples.slice(0, PIXELS), name: classNames[sampleLabels[0]] };
    this.samples = [];
    for (const [label, name] of classNames.entries()) {
      const at = sampleLabels.indexOf(label);
      if (at < 0) continue;
      const bytes = samples.slice(at * PIXELS, (at + 1) * PIXELS);
      const canvas = pictureCanvas();
      const button = make(
        'button',
        { type: 'button', 'aria-label': `Try a picture: ${name}`, title: name },
        canvas,
      );
      button.addEventListener('click', () => this.chosen(bytes, name));
      this.samples.push({ canvas, bytes });
      last = { bytes, name };
      items.push(make('li', {}, button));
    }
    this.list.replaceChildren(...items);
    this.panel.invalidate();
    return last;
  }
}
