/** What the network takes for what: a table of counts, truth in rows, guesses in columns. */
import { CLASSES, type ConfusionEvent } from '../protocol.ts';
import { rgb } from './colours.ts';
import { byId, find, make, say } from './dom.ts';
import { count, percent } from './format.ts';
import { paint } from './frames.ts';
import { between, isDark } from './luminance.ts';

export class ConfusionTable {
  private readonly table: HTMLTableElement;
  private readonly readout: HTMLElement;
  private readonly panel: { invalidate(): void };
  private cells: HTMLTableCellElement[] = [];
  private names: readonly string[] = [];
  private counts: Uint32Array = new Uint32Array(CLASSES * CLASSES);
  private chosen = -1;

  constructor() {
    const figure = byId('confusion');
    this.table = find<HTMLTableElement>(figure, 'table');
    this.readout = find(figure, '.readout');
    this.panel = paint(this.table, () => this.draw());
    this.table.addEventListener('pointerover', (event) => this.choose(this.indexOf(event.target)));
    this.table.addEventListener('pointerleave', () => this.choose(-1));
    this.table.addEventListener('focusin', (event) => this.choose(this.indexOf(event.target)));
    this.table.addEventListener('focusout', () => this.choose(-1));
    this.table.addEventListener('keydown', (event) => this.key(event));
  }

  /** Takes up a data set's classes; all counts are 0. */
  reset(names: readonly string[]): void {
    if (names.join() !== this.names.join()) this.build(names);
    this.counts = new Uint32Array(CLASSES * CLASSES);
    this.panel.invalidate();
  }

  show({ counts }: ConfusionEvent): void {
    this.counts = counts;
    this.panel.invalidate();
  }

  private build(names: readonly string[]): void {
    this.names = names;
    this.cells = [];
    const head = make(
      'tr',
      {},
      make('td', { class: 'corner' }),
      ...names.map((name) => make('th', { scope: 'col' }, make('span', { class: 'vertical' }, name))),
    );
    const rows = names.map((name, truth) => {
      const cells = names.map((_, guess) => {
        const cell = make('td', {
          tabindex: this.cells.length === 0 ? 0 : -1,
          class: truth === guess && 'right',
        });
        this.cells.push(cell);
        return cell;
      });
      return make('tr', {}, make('th', { scope: 'row' }, name), ...cells);
    });
    this.table.tHead?.replaceChildren(head);
    this.table.tBodies[0].replaceChildren(...rows);
  }

  private draw(): void {
    for (let truth = 0; truth < this.names.length; truth++) {
      const row = this.counts.subarray(truth * CLASSES, (truth + 1) * CLASSES);
      const total = row.reduce((sum, n) => sum + n, 0);
      for (let guess = 0; guess < this.names.length; guess++) {
        const cell = this.cells[truth * CLASSES + guess];
        const share = total > 0 ? row[guess] / total : 0;
        // Mistakes are rare: their square root can still be seen.
        const depth = truth === guess ? share : Math.sqrt(share);
        say(cell, String(row[guess]));
        cell.classList.toggle('none', row[guess] === 0);
        const ground = between(rgb('--well'), rgb(truth === guess ? '--above' : '--below'), depth);
        cell.style.backgroundColor = `rgb(${ground.join(' ')})`;
        cell.classList.toggle('on-dark', isDark(ground));
      }
    }
    this.read();
  }

  private indexOf(target: unknown): number {
    return this.cells.indexOf(target as HTMLTableCellElement);
  }

  private key(event: KeyboardEvent): void {
    const at = this.indexOf(event.target);
    const [truth, guess] = [Math.floor(at / CLASSES), at % CLASSES];
    const last = this.names.length - 1;
    const to = {
      ArrowLeft: [truth, Math.max(0, guess - 1)],
      ArrowRight: [truth, Math.min(last, guess + 1)],
      ArrowUp: [Math.max(0, truth - 1), guess],
      ArrowDown: [Math.min(last, truth + 1), guess],
      Home: [truth, 0],
      End: [truth, last],
    }[event.key];
    if (at < 0 || !to) return;
    event.preventDefault();
    const next = this.cells[to[0] * CLASSES + to[1]];
    this.cells[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  private choose(at: number): void {
    this.chosen = at;
    this.read();
  }

  private read(): void {
    if (this.chosen < 0) {
      say(this.readout, '');
      return;
    }
    const [truth, guess] = [Math.floor(this.chosen / CLASSES), this.chosen % CLASSES];
    const row = this.counts.subarray(truth * CLASSES, (truth + 1) * CLASSES);
    const total = row.reduce((sum, n) => sum + n, 0);
    const words =
      truth === guess
        ? `${this.names[truth]}, rightly named`
        : `${this.names[truth]} taken for ${this.names[guess]}`;
    const share = total > 0 ? ` (${percent(row[guess] / total)})` : '';
    say(this.readout, `${words}: ${count(row[guess])} of ${count(total)}${share}`);
  }
}
