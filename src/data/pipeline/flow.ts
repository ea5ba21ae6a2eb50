/** The same steps one element at a time, for data that are made, filtered or fetched on the way. */

import { picker, type Shuffle } from './order.ts';

/** Begins a pass over the elements; passes count from 0. */
export type Flow<T> = (pass: number) => AsyncGenerator<T, void, undefined>;

export const mapped = <A, B>(flow: Flow<A>, f: (element: A) => B | Promise<B>): Flow<B> =>
  async function* (pass) {
    for await (const element of flow(pass)) yield await f(element);
  };

export const filtered = <T>(flow: Flow<T>, keep: (element: T) => boolean | Promise<boolean>): Flow<T> =>
  async function* (pass) {
    for await (const element of flow(pass)) if (await keep(element)) yield element;
  };

export const limited = <T>(flow: Flow<T>, count: number): Flow<T> =>
  async function* (pass) {
    let taken = 0;
    if (count === 0) return;
    for await (const element of flow(pass)) {
      yield element;
      if (++taken === count) return;
    }
  };

export const skipped = <T>(flow: Flow<T>, count: number): Flow<T> =>
  async function* (pass) {
    let seen = 0;
    for await (const element of flow(pass)) if (seen++ >= count) yield element;
  };

/** Ends after an empty pass: repeating nothing for ever would hang. */
export const again = <T>(flow: Flow<T>, times: number): Flow<T> =>
  async function* (pass) {
    for (let time = 0; time < times; time++) {
      let empty = true;
      // Endless repetition has one pass; what is shuffled in it still changes from time to time.
      for await (const element of flow(times === Infinity ? time : pass * times + time)) {
        empty = false;
        yield element;
      }
      if (empty) return;
    }
  };

export const followed = <T>(first: Flow<T>, second: Flow<T>): Flow<T> =>
  async function* (pass) {
    yield* first(pass);
    yield* second(pass);
  };

/** A buffer is kept full; each element that leaves it is picked at random, and the next one takes its place. */
export const shuffledThrough = <T>(flow: Flow<T>, shuffle: Shuffle, place: number): Flow<T> =>
  async function* (pass) {
    const pick = picker(shuffle, place, pass);
    const buffer: T[] = [];
    for await (const element of flow(pass)) {
      if (buffer.length < shuffle.bufferSize) {
        buffer.push(element);
        continue;
      }
      const picked = pick(buffer.length);
      const out = buffer[picked];
      buffer[picked] = element;
      yield out;
    }
    while (buffer.length > 0) {
      const picked = pick(buffer.length);
      const out = buffer[picked];
      buffer[picked] = buffer[buffer.length - 1];
      buffer.pop();
      yield out;
    }
  };

export const grouped = <T>(flow: Flow<T>, size: number, dropRemainder: boolean): Flow<T[]> =>
  async function* (pass) {
    let group: T[] = [];
    for await (const element of flow(pass)) {
      group.push(element);
      if (group.length === size) {
        yield group;
        group = [];
      }
    }
    if (group.length > 0 && !dropRemainder) yield group;
  };

/** Works up to `count` elements ahead of whoever reads. */
export const ahead = <T>(flow: Flow<T>, count: number): Flow<T> =>
  async function* (pass) {
    const source = flow(pass);
    const waiting: Promise<IteratorResult<T, void>>[] = [];
    const request = (): void => {
      const next = source.next();
      next.catch(() => {}); // heard when its turn comes
      waiting.push(next);
    };
    try {
      for (let i = 0; i < count; i++) request();
      for (;;) {
        const { done, value } = await waiting.shift()!;
        if (done) return;
        request();
        yield value as T;
      }
    } finally {
      await source.return();
    }
  };

/** One element of each, side by side, until the first has no more. */
export const zipped = (flows: readonly Flow<unknown>[]): Flow<unknown[]> =>
  async function* (pass) {
    const sources = flows.map((flow) => flow(pass));
    try {
      for (;;) {
        const next = await Promise.all(sources.map((source) => source.next()));
        if (next.some(({ done }) => done)) return;
        yield next.map(({ value }) => value);
      }
    } finally {
      await Promise.all(sources.map((source) => source.return()));
    }
  };
