/** What a Python process needs to be told that a Node one finds by itself: the workload as data, and files of numbers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadData } from './data.js';
import { inputSize, optimizerDefaults, startingWeights, workloads } from './workloads.js';

let folder;
const written = new Map();

/** The request with `workload`, `optimizer` and `files` in place of names. */
export async function pythonRequest({ workload: given, dataFolder, ...request }) {
  if (!given) return request;
  const workload = typeof given === 'string' ? workloads.find((w) => w.id === given) : given;
  const { name, train, test } = await loadData(dataFolder);
  const weights = startingWeights(workload);
  const files = {
    images: file('images', train.images),
    labels: file('labels', train.labels),
    testImages: file('test-images', test.images),
    testLabels: file('test-labels', test.labels),
    weights: weights.map(({ values, shape }, i) => ({
      path: file(`${workload.id}-${i}`.replaceAll(/[^\w-]/g, '_'), values),
      shape,
    })),
  };
  const settings = { ...optimizerDefaults[workload.optimizer] };
  return { ...request, workload, settings, files, inputSize, data: name };
}

function file(name, values) {
  if (!folder) {
    folder = mkdtempSync(join(tmpdir(), 'weft-bench-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  }
  if (!written.has(name)) {
    const path = join(folder, name);
    writeFileSync(path, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    written.set(name, path);
  }
  return written.get(name);
}
