import { fork, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { engines } from './engines.js';
import { pythonRequest } from './python.js';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * The parent's end of an engine in a process of its own: asks one thing at a time, and never waits longer than it said.
 * Node's are forks that talk by messages, PyTorch's is a Python that talks by JSON lines.
 */
export class EngineProcess {
  #child;
  #output = '';
  #send;
  #adapt = (request) => request;

  /** environment: variables of the child's own, beside those of this process. */
  constructor(engine, environment = {}) {
    const env = { ...process.env, ...environment };
    if (engines[engine]?.python) {
      const python = process.env.WEFT_BENCH_PYTHON ?? 'python3';
      const script = path('../peers/torch_steps.py');
      this.#child = spawn(python, [script, engines[engine].backend], {
        stdio: ['pipe', 'pipe', 'pipe'],
        env,
      });
      this.#child.stdin.on('error', () => {}); // it ended; 'exit' tells
      createInterface(this.#child.stdout).on('line', (line) => {
        if (line.startsWith('{')) this.#child.emit('message', JSON.parse(line));
        else this.#keep(`${line}\n`);
      });
      this.#send = (message) => this.#child.stdin.write(`${JSON.stringify(message)}\n`);
      this.#adapt = pythonRequest;
    } else {
      this.#child = fork(path('child.js'), { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env });
      this.#child.stdout.on('data', (text) => this.#keep(text));
      this.#send = (message) => this.#child.send(message, () => {});
    }
    // What engines print is noise until something fails.
    this.#child.stderr.on('data', (text) => this.#keep(text));
  }

  /** Resolves to the child's answer; rejects when it fails, ends or takes longer than `seconds`, and then ends it. */
  async ask(kind, request, seconds) {
    const child = this.#child;
    const stop = new AbortController();
    try {
      const message = await this.#adapt({ kind, ...request });
      return await new Promise((resolve, reject) => {
        const listen = (event, then) => {
          child.on(event, then);
          stop.signal.addEventListener('abort', () => child.off(event, then));
        };
        const timer = setTimeout(
          () => reject(new Error(`no answer to ${kind} in ${seconds} s`)),
          seconds * 1000,
        );
        stop.signal.addEventListener('abort', () => clearTimeout(timer));
        listen('message', ({ result, failure }) => (failure ? reject(new Error(failure)) : resolve(result)));
        listen('exit', (code, signal) => reject(new Error(`ended (${signal ?? code}). ${this.#output}`)));
        listen('error', reject);
        this.#send(message);
      });
    } catch (error) {
      this.end();
      throw error;
    } finally {
      stop.abort();
    }
  }

  get ended() {
    return this.#child.killed || this.#child.exitCode !== null;
  }

  async end() {
    this.#child.kill('SIGKILL');
  }

  #keep(text) {
    this.#output = (this.#output + text).slice(-2000);
  }
}
