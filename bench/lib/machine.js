import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Cores that others keep busy above which numbers are not for quoting. */
export const quiet = 0.3;

/** The version of an installed package, read from its package.json at `path`, relative to this folder. */
export function versionOf(path) {
  const url = new URL(path, import.meta.url);
  return existsSync(url) ? JSON.parse(readFileSync(url, 'utf8')).version : 'not installed';
}

/** What a number is worth nothing without: date, commit ('+': with local changes), runtime, machine and its load. */
export function describeMachine() {
  const date = new Date().toISOString();
  return {
    run: process.env.WEFT_BENCH_RUN ?? date,
    date,
    commit: commit(),
    runtime: `Node ${process.versions.node}, Dawn of webgpu ${versionOf('../../node_modules/webgpu/package.json')}`,
    machine: `${cpus().length} × ${cpus()[0].model.trim()}`,
    load: busyCores(),
  };
}

/** How many cores are busy while this process sleeps; a load average would count what ran before, this bench included. */
function busyCores() {
  const read = () => {
    const all = cpus().map(({ times }) => times);
    const busy = all.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, 0);
    return { busy, total: busy + all.reduce((sum, { idle }) => sum + idle, 0) };
  };
  const before = read();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  const after = read();
  return (cpus().length * (after.busy - before.busy)) / Math.max(1, after.total - before.total);
}

/** A packed bench has no repository; there the file COMMIT says where it comes from. */
function commit() {
  const here = { cwd: new URL('.', import.meta.url), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  const git = (...args) => execFileSync('git', args, here).trim();
  const note = new URL('../../COMMIT', import.meta.url);
  if (existsSync(note)) return readFileSync(note, 'utf8').trim();
  try {
    const changed = git('status', '--porcelain', '--', '../../src', '..') === '' ? '' : '+';
    return git('rev-parse', '--short', 'HEAD') + changed;
  } catch {
    return 'unknown'; // no git, or no repository
  }
}
