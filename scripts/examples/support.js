/** What the examples share: the adapter, numbers that are the same every time, and what a step cost. */
import { init, tensor } from '../../dist/index.js';
import { findGpu } from '../support/software-adapter.js';

/** Opens an engine on the adapter that is found, and says which. */
export async function open(seed = 4) {
  const { gpu, note } = await findGpu();
  console.log(note);
  return init({ gpu, seed });
}

let state = 1;
/** A number from −0.5 to 0.5. */
export function draw() {
  state = (state * 16807) % 2147483647;
  return state / 2147483647 - 0.5;
}

/** [count, width] of numbers. */
export const rows = (count, width, value) =>
  tensor(
    Float32Array.from({ length: count * width }, (_, i) => value(Math.floor(i / width), i % width)),
    { shape: [count, width] },
  );

/**
 * Trains twice, with `train`, and prints how many dispatches a step is, and what the second fit made anew, with
 * `results`, as the last line.
 */
export async function report(engine, net, train, results = async () => ({})) {
  const history = (await train()).history;
  const before = engine.stats();
  await train();
  const { bindGroups, buffers, pipelines } = engine.stats();
  const dispatches = (await net.explain({ measure: false })).kernels.length;
  for (const [name, values] of Object.entries(history))
    console.log(
      `${name}: ${values[0].toFixed(4)} in the first epoch, ${values.at(-1).toFixed(4)} in the last`,
    );
  console.log(
    JSON.stringify({
      dispatches,
      made: {
        bindGroups: bindGroups - before.bindGroups,
        buffers: buffers - before.buffers,
        pipelines: pipelines - before.pipelines,
      },
      history,
      ...(await results()),
    }),
  );
  await engine.close();
}
