/** The self-test page: runs, shows what it finds as it finds it, and hands it over to be copied. */
import {
  AbortError,
  registry,
  type SelfTestResult,
  type SpeedTestResult,
  selfTest,
  speedTest,
} from 'weft-gpu';
import { describeFailure } from '../playground/failure.ts';
import { followTheme, theme, toggleTheme } from '../playground/view/colours.ts';
import { byId, make, say } from '../playground/view/dom.ts';
import { copyText } from '../shared/copy.ts';
import { workingEngine } from '../shared/engine.ts';
import { duration, figures } from '../shared/units.ts';
import { complaint, factsOf, mainFacts, type Result, shown, toText, verdictOf } from './report.ts';

const runButton = byId<HTMLButtonElement>('run');
const copyButtons = [byId<HTMLButtonElement>('copy-text'), byId<HTMLButtonElement>('copy-json')];
const progress = byId<HTMLProgressElement>('progress');
let running: AbortController | null = null;
let result: Result | null = null;

/** A row of the table of ops, which grows while its cases come in. */
class Row {
  readonly element: HTMLTableRowElement;
  readonly #cells: { cases: HTMLElement; value: HTMLElement; gradient: HTMLElement; verdict: HTMLElement };
  readonly #worst = { value: null as number | null, gradient: null as number | null };
  readonly #cases = new Set<string>();
  #passed = true;

  constructor(op: string) {
    const cell = (name = '') => make('td', { class: name });
    this.#cells = { cases: cell('right cases'), value: cell(), gradient: cell(), verdict: cell() };
    const { cases, value, gradient, verdict } = this.#cells;
    this.element = make('tr', {}, make('th', { scope: 'row' }, op), cases, value, gradient, verdict);
  }

  add({ case: one, kind, worst, passed }: SelfTestResult): void {
    this.#cases.add(one);
    this.#worst[kind] = Math.max(this.#worst[kind] ?? 0, worst);
    this.#passed &&= passed;
    say(this.#cells.cases, String(this.#cases.size));
    this.#cells[kind].replaceChildren(errorBar(this.#worst[kind]));
    if (this.#worst.gradient === null) say(this.#cells.gradient, '–');
    this.#cells.verdict.replaceChildren(
      make('span', { class: this.#passed ? 'mark-good' : 'mark-bad' }, this.#passed ? '✓ right' : '✗ wrong'),
    );
    this.element.classList.toggle('is-wrong', !this.#passed);
  }
}

/** The bar says nothing that the number beside it does not say. */
function errorBar(worst: number): HTMLElement {
  const value = Math.min(1, worst);
  return make(
    'span',
    { class: 'error' },
    make('meter', { 'aria-hidden': 'true', min: 0, max: 1, low: 0.999, high: 0.999, optimum: 0, value }),
    make('span', { class: 'number' }, shown(worst)),
  );
}

/** `#ops=relu,tanh` checks these only. */
function asked(): string[] | undefined {
  const names = new URLSearchParams(location.hash.slice(1)).get('ops')?.split(',') ?? [];
  const known = names.filter((name) => registry.has(name));
  return known.length > 0 ? known : undefined;
}

async function run(): Promise<void> {
  running = new AbortController();
  const { signal } = running;
  result = null;
  clear();
  say(runButton, 'Stop');
  announce('Checking this graphics processor', '');
  try {
    const engine = await workingEngine();
    const facts = factsOf(engine);
    showPairs('adapter', mainFacts(facts));
    showPairs('limits', [
      ['Features', facts.features.join(', ') || 'none'],
      ...Object.entries(facts.limits).map(([name, value]): [string, string] => [
        name,
        value.toLocaleString('en'),
      ]),
    ]);
    const rows = new Map<string, Row>();
    let told = 0;
    const test = await selfTest({
      engine,
      ops: asked(),
      signal,
      onResult(one) {
        let row = rows.get(one.op);
        if (!row) {
          row = new Row(one.op);
          rows.set(one.op, row);
          byId('verdicts').append(row.element);
        }
        row.add(one);
        if (!one.passed) complain(one);
      },
      onProgress(done, total) {
        progress.value = done / total;
        say(byId('count'), `${done} of ${total} cases`);
        // A screen reader hears of each quarter, not of each case.
        const quarter = Math.floor((4 * done) / total);
        if (quarter > told && quarter < 4) say(byId('status'), `${25 * quarter} percent checked`);
        told = quarter;
      },
    });
    say(byId('count'), `${verdictOf(test)}. Measuring speeds …`);
    const speeds = await speedTest({ engine, signal, onResult: showSpeed });
    byId('speed-wait').hidden = true;
    result = { ...facts, ok: test.failed === 0, test, speeds };
    for (const button of copyButtons) button.disabled = false;
    progress.value = 1;
    say(byId('count'), `${test.results.length} checks in ${test.seconds.toFixed(0)} s`);
    announce(verdictOf(test), result.ok ? 'good' : 'bad');
  } catch (error) {
    if (error instanceof AbortError) announce('Stopped', '');
    else fail(error);
  } finally {
    running = null;
    say(runButton, 'Run again');
  }
}

function clear(): void {
  for (const id of ['verdicts', 'speeds', 'wrong-list', 'failure']) byId(id).replaceChildren();
  for (const id of ['wrong', 'failure']) byId(id).hidden = true;
  byId('speed-wait').hidden = false;
  for (const button of copyButtons) button.disabled = true;
  progress.value = 0;
  say(byId('count'), '');
  say(byId('copied'), '');
}

function announce(text: string, state: '' | 'good' | 'bad'): void {
  say(byId('verdict'), text);
  byId('verdict').dataset.state = state;
  say(byId('status'), text);
}

function complain(one: SelfTestResult): void {
  byId('wrong').hidden = false;
  byId('wrong-list').append(make('li', {}, complaint(one)));
}

function fail(error: unknown): void {
  const { title, message, fix } = describeFailure(error);
  announce('The self-test could not run', 'bad');
  const box = byId('failure');
  box.hidden = false;
  box.replaceChildren(make('h2', {}, title), make('p', {}, message), make('p', {}, fix));
}

function showPairs(id: string, pairs: readonly (readonly [string, string])[]): void {
  byId(id).replaceChildren(
    ...pairs.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]),
  );
}

function showSpeed({ kernel, work, microseconds, gigaflops, gigabytes }: SpeedTestResult): void {
  byId('speed-wait').hidden = true;
  byId('speeds').append(
    make(
      'tr',
      {},
      make('th', { scope: 'row' }, kernel, make('span', { class: 'work' }, work)),
      make('td', { class: 'right' }, duration(microseconds)),
      make('td', { class: 'right' }, figures(gigaflops)),
      make('td', { class: 'right' }, figures(gigabytes)),
    ),
  );
}

async function copy(make: (result: Result) => string): Promise<void> {
  if (!result) return;
  say(byId('copied'), '');
  const done = await copyText(make(result));
  say(byId('copied'), done ? 'Copied' : 'The browser refused to copy.');
}

function labelTheme(): void {
  byId('theme').setAttribute('aria-label', theme() === 'dark' ? 'Light colours' : 'Dark colours');
}

runButton.addEventListener('click', () => {
  if (running) running.abort();
  else run();
});
copyButtons[0].addEventListener('click', () => copy(toText));
copyButtons[1].addEventListener('click', () => copy((all) => JSON.stringify(all, null, 2)));
byId('theme').addEventListener('click', () => {
  toggleTheme();
  labelTheme();
});
// What scrolls must be reachable by keyboard, in browsers that do not see to it.
byId('wrong-list').tabIndex = 0;
followTheme(labelTheme);
labelTheme();
run();
