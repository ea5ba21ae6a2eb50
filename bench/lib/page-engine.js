/** Engines in tabs of a headless Chromium, asked as if they were processes. */
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright';
import { chromiumLaunchOptions } from '../../scripts/support/chromium.js';
import { buildPage } from '../page/build.js';

export class PageEngines {
  where = 'Chromium';
  #browser;
  #url;

  static async launch() {
    const url = pathToFileURL(await buildPage()).href;
    return new PageEngines(await chromium.launch(chromiumLaunchOptions()), url);
  }

  constructor(browser, url) {
    this.#browser = browser;
    this.#url = url;
  }

  get runtime() {
    return `Chromium ${this.#browser.version()}`;
  }

  /** A tab with a storage of its own. */
  async open() {
    const page = await this.#browser.newPage();
    await page.goto(this.#url);
    await page.waitForFunction(() => globalThis.weftBench);
    return new PageEngine(page);
  }

  close() {
    return this.#browser.close();
  }
}

class PageEngine {
  #page;

  constructor(page) {
    this.#page = page;
  }

  get ended() {
    return this.#page.isClosed();
  }

  async ask(kind, request, seconds) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer to ${kind} in ${seconds} s`)), 1000 * seconds);
    });
    const answer = this.#page.evaluate(
      ([kind, request]) => globalThis.weftBench.ask(kind, request),
      [kind, request],
    );
    try {
      const { result, failure } = await Promise.race([answer, late]);
      if (failure) throw new Error(failure);
      return result;
    } catch (error) {
      answer.catch(() => {}); // the tab is closed under it
      await this.end();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async end() {
    if (!this.ended) await this.#page.close();
  }
}
