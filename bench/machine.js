import { execFileSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { versionOf } from './engines.js';

/** What a number is worth nothing without: date, commit ('+': with local changes), runtime, machine and its load. */
export function describeMachine() {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    runtime: `Node ${process.versions.node}, Dawn of webgpu ${versionOf('../node_modules/webgpu/package.json')}`,
    machine: `${cpus().length} × ${cpus()[0].model.trim()}`,
    load: loadavg()[0],
  };
}

function commit() {
  const here = { cwd: new URL('.', import.meta.url), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  const git = (...args) => execFileSync('git', args, here).trim();
  try {
    const changed = git('status', '--porcelain', '--', '../src', '.') === '' ? '' : '+';
    return git('rev-parse', '--short', 'HEAD') + changed;
  } catch {
    return 'unknown'; // no git, or no repository
  }
}
