/** The pictures that the network is most wrong about. */
import type { Mistake, MistakesEvent } from '../protocol.ts';
import { byId, find, make, say } from './dom.ts';
import { count, percent } from './format.ts';
import { paint } from './frames.ts';
import { paintBytes, pictureCanvas } from './pictures.ts';

interface Entry {
  readonly item: HTMLElement;
  readonly button: HTMLButtonElement;
  readonly canvas: HTMLCanvasElement;
  readonly sure: HTMLElement;
  readonly said: HTMLElement;
  readonly truth: HTMLElement;
}

export class MistakeList {
  private readonly list: HTMLElement;
  private readonly caption: HTMLElement;
  private readonly empty: HTMLElement;
  private readonly panel: { invalidate(): void };
  private readonly chosen: (mistake: Mistake) => void;
  private readonly entries: Entry[] = [];
  private names: readonly string[] = [];
  private worst: readonly Mistake[] = [];

  /** `chosen` is called with a mistake that was pressed. */
  constructor(chosen: (mistake: Mistake) => void) {
    const figure = byId('mistakes');
    this.list = find(figure, 'ol');
    this.caption = find(figure, '.caption');
    this.empty = find(figure, '.empty');
    this.chosen = chosen;
    this.panel = paint(figure, () => this.draw());
  }

  reset(names: readonly string[]): void {
    this.names = names;
    this.worst = [];
    say(this.caption, '');
    this.panel.invalidate();
  }

  show({ worst, count: all }: MistakesEvent): void {
    this.worst = worst;
    say(this.caption, `${count(all)} in all`);
    this.panel.invalidate();
  }

  private draw(): void {
    this.empty.hidden = this.worst.length > 0;
    while (this.entries.length < this.worst.length) this.entries.push(this.entry(this.entries.length));
    for (const [i, entry] of this.entries.entries()) {
      const mistake = this.worst[i];
      entry.item.hidden = !mistake;
      if (!mistake) continue;
      const [said, truth] = [this.names[mistake.guess], this.names[mistake.label]];
      paintBytes(entry.canvas, mistake.pixels);
      say(entry.sure, percent(mistake.guessProbability, 0));
      say(entry.said, said);
      say(entry.truth, truth);
      entry.button.setAttribute(
        'aria-label',
        `Said ${said} with ${percent(mistake.guessProbability)}, is ${truth}, given ${percent(mistake.labelProbability)}. Try it.`,
      );
    }
  }

  private entry(at: number): Entry {
    const canvas = pictureCanvas();
    const sure = make('span', { class: 'sure number' });
    const said = make('span', { class: 'said' });
    const truth = make('span', { class: 'truth' });
    const button = make('button', { type: 'button', class: 'mistake' }, canvas, sure, said, truth);
    button.addEventListener('click', () => this.worst[at] && this.chosen(this.worst[at]));
    const item = make('li', {}, button);
    this.list.append(item);
    return { item, button, canvas, sure, said, truth };
  }
}
