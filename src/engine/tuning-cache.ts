/** Choices that were measured on this adapter before, kept for the next program. */
import { hash } from '../base/hash.ts';
import type { TextStore } from '../base/text-store.ts';
import { parseRecord } from './foreign-tuning.ts';
import { type RecordedChoice, recordOf } from './tuning.ts';

/** The choices of one adapter, in a store. Nothing that is wrong with the store is an error: it costs measuring again. */
export class TuningCache {
  readonly #store: TextStore | undefined;
  readonly #adapter: string;
  readonly #note: (note: string) => void;
  readonly #name: string;

  /** `note` hears what was ignored, and why. */
  constructor(store: TextStore | undefined, adapter: string, note: (note: string) => void) {
    this.#store = store;
    this.#adapter = adapter;
    this.#note = note;
    this.#name = `${hash(adapter)}.json`;
  }

  /** The choices made on this adapter with these shaders. */
  async load(shaders: string): Promise<ReadonlyMap<string, RecordedChoice>> {
    const nothing = new Map<string, RecordedChoice>();
    if (!this.#store) return nothing;
    const where = this.#store.place(this.#name);
    try {
      const text = await this.#store.read(this.#name);
      if (text === undefined) return nothing;
      const record = parseRecord(JSON.parse(text), where);
      const foreign =
        record.adapter !== this.#adapter
          ? `of another adapter, ${record.adapter}`
          : record.shaders !== shaders
            ? 'of another version of the kernels'
            : null;
      if (foreign) this.#note(`tuning: ${where} is ${foreign}; it is ignored and will be replaced.`);
      return foreign ? nothing : new Map(Object.entries(record.choices));
    } catch (error) {
      this.#note(`tuning: ${where} is ignored: ${(error as Error).message}`);
      return nothing;
    }
  }

  /** Adds choices to those that are kept; of two programs that save at once, one's additions may be lost. */
  async save(shaders: string, choices: ReadonlyMap<string, RecordedChoice>): Promise<void> {
    if (!this.#store) return;
    try {
      const kept = await new TuningCache(this.#store, this.#adapter, () => {}).load(shaders);
      const text = JSON.stringify(recordOf(this.#adapter, shaders, new Map([...kept, ...choices])), null, 1);
      await this.#store.write(this.#name, text);
    } catch (error) {
      this.#note(`tuning: ${this.#store.place(this.#name)} cannot be written: ${(error as Error).message}`);
    }
  }
}
