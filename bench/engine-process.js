import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const childFile = fileURLToPath(new URL('child.js', import.meta.url));

/** The parent's end of `child.js`: asks one thing at a time, and never waits longer than it said. */
export class EngineProcess {
  #child;
  #stderr = '';

  /** environment: variables of the child's own, beside those of this process. */
  constructor(environment = {}) {
    const env = { ...process.env, ...environment };
    this.#child = fork(childFile, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env });
    // What engines print is noise until something fails.
    this.#child.stdout.on('data', (text) => this.#keep(text));
    this.#child.stderr.on('data', (text) => this.#keep(text));
  }

  /** Resolves to the child's answer; rejects when it fails, ends or takes longer than `seconds`, and then ends it. */
  async ask(kind, request, seconds) {
    const child = this.#child;
    const stop = new AbortController();
    try {
      return await new Promise((resolve, reject) => {
        const listen = (emitter, event, then) => {
          emitter.on(event, then);
          stop.signal.addEventListener('abort', () => emitter.off(event, then));
        };
        const timer = setTimeout(
          () => reject(new Error(`no answer to ${kind} in ${seconds} s`)),
          seconds * 1000,
        );
        stop.signal.addEventListener('abort', () => clearTimeout(timer));
        listen(child, 'message', ({ result, failure }) =>
          failure ? reject(new Error(failure)) : resolve(result),
        );
        listen(child, 'exit', (code, signal) =>
          reject(new Error(`ended (${signal ?? code}). ${this.#stderr}`)),
        );
        child.send({ kind, ...request }, (error) => error && reject(error));
      });
    } catch (error) {
      this.end();
      throw error;
    } finally {
      stop.abort();
    }
  }

  end() {
    this.#child.kill('SIGKILL');
  }

  #keep(text) {
    this.#stderr = (this.#stderr + text).slice(-2000);
  }
}
