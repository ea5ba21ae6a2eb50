/**
 * Engines, and the order of calls. Each engine has a *lane*: tasks that run one after the other, in the order in
 * which they were asked for. A call takes its place in the lane before it returns, so the order of calls is the
 * order of effects, whether they are awaited or not.
 */
import { loaded } from '../base/loaded.ts';
import { seedInUse, setRandomSeed } from '../base/seed.ts';
import type { Engine, InitOptions } from '../engine/engine.ts';

interface Lane {
  engine: Engine | Promise<Engine>;
  /** Settles, and never rejects, when all tasks so far are done. */
  tail: Promise<unknown>;
  /** Tasks that are not done. */
  tasks: number;
  /** Submits since `follow` last asked, and those under way that it waits for, oldest first. */
  submits: number;
  readonly underWay: Promise<void>[];
}

const makeLane = (engine: Engine | Promise<Engine>): Lane => ({
  engine,
  tail: Promise.resolve(),
  tasks: 0,
  submits: 0,
  underWay: [],
});

const lanes = new WeakMap<Engine, Lane>();

/** The default engine on its way, and once it is open. */
let first: Promise<Engine> | null = null;
let open: Engine | null = null;
/** The default engine's lane, which is there before the engine is. */
let firstLane: Lane;

export const planner = () => loaded('weft: the planner', import('./planner.ts'));

/**
 * Opens a GPU device and returns its Engine. The first one is the default for tensors that belong to no
 * other; calling it is optional, first use initialises. After the default engine was closed or lost, the
 * next `init` takes its place.
 *
 * ```ts
 * const engine = await init({ seed: 42 });
 * console.log(engine.profile.description);
 * ```
 */
export async function init(options: InitOptions = {}): Promise<Engine> {
  if (first && !open) await first.catch(() => null);
  // What talks to the GPU is loaded with the first engine: a page shows itself before that.
  const opening = planner().then(({ Engine }) => Engine.create(options));
  if (!first || open?.lost) {
    if (options.seed !== undefined) setRandomSeed(options.seed);
    const lane = makeLane(opening);
    [first, open, firstLane] = [opening, null, lane];
    opening.then(
      (engine) => {
        lane.engine = engine;
        lanes.set(engine, lane);
        if (first !== opening) return;
        open = engine;
        if (engine.seed !== seedInUse()) setRandomSeed(engine.seed);
      },
      () => {
        if (first === opening) first = null;
      },
    );
  }
  return opening;
}

/** The default engine; opened with default options at first use. */
export function defaultEngine(): Promise<Engine> {
  if (!first) init().catch(() => {});
  return first!;
}

/** The default engine, if it is open. */
export const openDefault = (): Engine | null => open;

function laneOf(engine: Engine | null): Lane {
  if (!engine) {
    defaultEngine().catch(() => {});
    return firstLane;
  }
  let lane = lanes.get(engine);
  if (!lane) {
    lane = makeLane(engine);
    lanes.set(engine, lane);
  }
  return lane;
}

/** Runs a task of an engine (null: the default one) after all those that were asked for before. */
export function serial<T>(engine: Engine | null, task: (engine: Engine) => Promise<T> | T): Promise<T> {
  const lane = laneOf(engine);
  lane.tasks++;
  const mine = lane.tail.then(async () => task(await lane.engine));
  lane.tail = mine.then(
    () => lane.tasks--,
    () => lane.tasks--,
  );
  return mine;
}

/** Runs a short task at once when nothing is to be done before it, else in its turn. */
export function inTurn(engine: Engine, task: () => void): void {
  if (laneOf(engine).tasks === 0) task();
  else serial(engine, task).catch(() => {});
}

/**
 * To be awaited after a submit: nobody runs further ahead of the adapter than twice as many submits as `every`. So
 * timers, signals and a lost device are heard, and memory does not pile up.
 */
export async function follow(engine: Engine, every: number): Promise<void> {
  const lane = laneOf(engine);
  if (++lane.submits < every) return;
  lane.submits = 0;
  const done = engine.idle();
  done.catch(() => {});
  lane.underWay.push(done);
  if (lane.underWay.length >= 2) await lane.underWay.shift();
}
