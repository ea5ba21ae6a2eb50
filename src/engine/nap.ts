/**
 * Lets the thread sleep while it waits for the GPU in Node.
 *
 * Dawn's binding for Node learns that work is done by asking, once in every turn of the event loop, and keeps the
 * loop turning as fast as it can meanwhile: a whole core, of which a software adapter has better use (W1 on
 * llvmpipe with two cores: 400 → 240 µs of CPU time a step). So while somebody waits, turns are made longer by
 * short naps, but only once waiting has taken a moment and only when nobody else is busy on this thread.
 * In a page the browser tells, and this file is not loaded.
 */
/** Length of a nap, milliseconds: what a result may come late by. */
const NAP_MS = 0.2;
/** Waits shorter than this are not slept through, milliseconds. */
const PATIENCE_MS = 0.5;
/** A turn of the event loop that took longer did something besides asking, milliseconds. */
const BUSY_MS = 0.1;

const nextTurn = (globalThis as { setImmediate?: (callback: () => void) => unknown }).setImmediate;
let cell: Int32Array<SharedArrayBuffer> | null = null;
let waiting = 0;
let turning = false;
let since = 0;
let turnBegan = 0;

function turn(): void {
  if (waiting === 0) {
    turning = false;
    return;
  }
  const now = performance.now();
  if (now - since >= PATIENCE_MS && now - turnBegan < BUSY_MS) {
    cell ??= new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(cell, 0, 0, NAP_MS);
  }
  turnBegan = performance.now();
  nextTurn!(turn);
}

/** Sleeps now and then until `promise`, which Dawn settles, is settled. */
export function napUntil(promise: Promise<unknown>): void {
  if (!nextTurn) return;
  if (waiting++ === 0) since = performance.now();
  const woken = (): void => {
    waiting--;
  };
  promise.then(woken, woken);
  if (turning) return;
  turning = true;
  nextTurn(turn);
}
