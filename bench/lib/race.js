/**
 * Engines take turns, A B C A B C, so that a slow moment of the machine meets all of them. Each was checked before it is
 * timed, and is judged afterwards; one that fails leaves the race and the others go on.
 */
import { ratios, spread } from './statistics.js';

const leastRounds = 3;
/** Seconds. llvmpipe compiles some kernels for 20. */
export const patience = { prepare: 150, round: 120, finish: 120 };

/**
 * names: the engines, in order. `open(name)` gives something with `ask(kind, request, seconds)` and `end()`.
 * kinds: { prepare, round, finish }, what to ask; `request` goes with prepare and finish.
 * check(runner) and judge(runner) throw. Gives the runners: { engine, name, rounds, failed?, … } with all answers in them.
 */
export async function race({ names, open, kinds, request, check, judge, rounds, roundSeconds, seconds }) {
  const start = performance.now();
  const runners = names.map((engine) => ({ engine, name: engine, rounds: [] }));
  const attempt = async (runner, work) => {
    if (runner.failed) return;
    try {
      await work(runner);
    } catch (error) {
      runner.failed = error.message;
      await runner.process?.end();
    }
  };
  for (const runner of runners) {
    await attempt(runner, async () => {
      runner.process = await open(runner.engine);
      const asked = { engine: runner.engine, ...request };
      Object.assign(runner, await runner.process.ask(kinds.prepare, asked, patience.prepare));
      check?.(runner);
      runner.count = await settle(runner, kinds.round, roundSeconds);
    });
  }
  const raceStart = performance.now();
  for (let round = 0; round < rounds; round++) {
    const now = performance.now();
    const nextEnd = (now - start + (now - raceStart) / round) / 1000;
    if (round >= leastRounds && nextEnd > seconds) break;
    for (const runner of runners) {
      await attempt(runner, async () => {
        runner.rounds.push(await runner.process.ask(kinds.round, { count: runner.count }, patience.round));
      });
    }
  }
  for (const runner of runners) {
    await attempt(runner, async () => {
      Object.assign(runner, await runner.process.ask(kinds.finish, request, patience.finish));
      judge?.(runner);
    });
    await runner.process?.end();
    delete runner.process;
  }
  return runners;
}

/**
 * A count that takes between half a round and a whole one, found by growing. The first run that is long enough may have
 * been compiling, so it must be long enough twice, and a very small count three times; the last run is also the warm-up
 * of the rounds that count.
 */
async function settle(runner, kind, roundSeconds) {
  const least = (1000 * roundSeconds) / 2;
  let count = 1;
  for (let longRuns = 0; longRuns < (count < 8 ? 3 : 2); ) {
    const { milliseconds } = await runner.process.ask(kind, { count }, patience.round);
    if (milliseconds >= least) longRuns++;
    else {
      longRuns = 0;
      count = Math.min(8 * count, Math.ceil((1.5 * least * count) / milliseconds));
    }
  }
  return count;
}

/** Milliseconds per run, the rounds behind them, and how many times Weft's. */
export function timing(runner, runners) {
  const each = ({ rounds }) => rounds.map(({ milliseconds, count }) => milliseconds / count);
  const weft = runners.find(({ engine }) => engine === 'weft');
  const rounds = each(runner);
  return {
    milliseconds: spread(rounds),
    ...(weft && !weft.failed && { ratio: ratios(rounds, each(weft)) }),
    rounds,
    count: runner.count,
  };
}
