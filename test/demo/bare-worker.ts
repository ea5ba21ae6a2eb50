/** The playground's worker in a page without anything else: commands go in, events are collected. */
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright';
import type { Command, Event, Settings } from '../../demo/playground/protocol.ts';
import { DEFAULTS } from '../../demo/playground/protocol.ts';
import { chromiumLaunchOptions } from '../../scripts/support/chromium.js';

const ADDRESS = 'https://playground.test/';

/** Small enough for a driver that computes on two cores. */
export const SMALL: Settings = {
  ...DEFAULTS,
  layers: [{ units: 16, activation: 'relu' }],
  batchSize: 32,
  learningRate: 0.003,
};

let code: Promise<string> | undefined;

/** The worker as scripts/build-demo.js bundles it. */
async function workerCode(): Promise<string> {
  code ??= build({
    entryPoints: ['demo/playground/worker.ts'],
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    write: false,
  }).then(({ outputFiles }) => outputFiles[0].text);
  return code;
}

export const launch = (): Promise<Browser> => chromium.launch(chromiumLaunchOptions());

/** What the page offers to the functions that run in it. */
declare const wire: {
  worker: Worker;
  events: Event[];
};

export class BareWorker {
  readonly page: Page;
  /** Events before these are of another test. */
  private first = 0;
  private seen = 0;

  private constructor(page: Page) {
    this.page = page;
  }

  static async open(browser: Browser): Promise<BareWorker> {
    const page = await browser.newPage();
    const script = await workerCode();
    const main = `globalThis.wire = { worker: new Worker('worker.js'), events: [] };
      wire.worker.onmessage = ({ data }) => wire.events.push(data);
      wire.worker.onerror = ({ message }) => wire.events.push({ type: 'failure', code: 'CRASH', message });`;
    await page.route(`${ADDRESS}**`, (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname === '/worker.js') return route.fulfill({ contentType: 'text/javascript', body: script });
      if (pathname === '/')
        return route.fulfill({ contentType: 'text/html', body: `<script>${main}</script>` });
      return route.fallback();
    });
    await page.goto(ADDRESS);
    return new BareWorker(page);
  }

  /** Several commands are sent at once. */
  send(...commands: readonly Command[]): Promise<void> {
    return this.page.evaluate((all) => {
      for (const one of all) wire.worker.postMessage(one);
    }, commands);
  }

  /** With files, given as their bytes. */
  sendFiles(
    command: 'openData' | 'load',
    files: readonly { name: string; bytes: Uint8Array }[],
  ): Promise<void> {
    const plain = files.map(({ name, bytes }) => ({ name, bytes: Buffer.from(bytes).toString('base64') }));
    return this.page.evaluate(
      ([type, list]) => {
        const made = list.map(({ name, bytes }) => {
          const text = atob(bytes);
          return new File([Uint8Array.from(text, (letter) => letter.charCodeAt(0))], name);
        });
        wire.worker.postMessage(type === 'load' ? { type, file: made[0] } : { type, files: made });
      },
      [command, plain] as const,
    );
  }

  /** A file larger than any that is read. */
  sendHugeFile(command: 'openData'): Promise<void> {
    return this.page.evaluate((type) => {
      const part = new Uint8Array(2 ** 24);
      wire.worker.postMessage({ type, files: [new File(Array(9).fill(part), 'huge.gz')] });
    }, command);
  }

  /** Runs a function inside the worker. */
  inside(task: () => void): Promise<void> {
    return this.page.workers()[0].evaluate(task);
  }

  /** Pauses, and forgets what was heard. */
  async begin(): Promise<void> {
    await this.send({ type: 'pause' });
    await this.page.waitForTimeout(50);
    this.first = await this.page.evaluate(() => wire.events.length);
    this.seen = this.first;
  }

  /** How many events of these types have come since the beginning. */
  count(...types: readonly Event['type'][]): Promise<number> {
    const task = ([some, from]: readonly [readonly string[], number]) =>
      wire.events.slice(from).filter(({ type }) => some.includes(type)).length;
    return this.page.evaluate(task, [types, this.first] as const);
  }

  /** A fresh page at the same address, with the same kept files. */
  async reload(): Promise<void> {
    this.first = 0;
    this.seen = 0;
    await this.page.reload();
  }

  /** The next event of a type after those seen already; a failure that was not asked for throws. */
  async next<T extends Event['type']>(type: T): Promise<Extract<Event, { type: T }>> {
    const handle = await this.page.waitForFunction(
      ([wanted, from]) => {
        const at = wire.events.findIndex(
          (event, i) => i >= from && (event.type === wanted || event.type === 'failure'),
        );
        if (at < 0) return null;
        const plain = (_: string, value: unknown) =>
          ArrayBuffer.isView(value) ? Array.from(value as never) : value;
        return { at, text: JSON.stringify(wire.events[at], plain) };
      },
      [type, this.seen] as const,
      { timeout: 30_000 },
    );
    const found = (await handle.jsonValue())!;
    this.seen = found.at + 1;
    const event = JSON.parse(found.text) as Event;
    if (event.type !== type) throw new Error(`${type} was expected; came ${found.text}`);
    return event as Extract<Event, { type: T }>;
  }

  /** Trains for so many steps and gives what validation says at the end of them, at step `last`. */
  async step(count: number, last = count): Promise<Extract<Event, { type: 'validation' }>> {
    await this.send({ type: 'step', count });
    for (;;) {
      const event = await this.next('validation');
      if (event.step === last) return event;
    }
  }

  /** The last progress before a pause. */
  async pausedAt(): Promise<Extract<Event, { type: 'progress' }>> {
    while ((await this.next('state')).training);
    return this.next('progress');
  }

  close(): Promise<void> {
    return this.page.close();
  }
}
