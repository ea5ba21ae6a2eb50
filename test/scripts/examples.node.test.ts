/** The examples of training steps of one's own learn, and their steps are as short as they say. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

interface Told {
  readonly dispatches: number;
  readonly made: object;
  readonly history: Readonly<Record<string, readonly number[]>>;
  readonly means?: readonly number[];
}

const last = (told: Told, name: string): number => told.history[name].at(-1)!;

const examples: Record<string, { dispatches: number; learns(told: Told): void }> = {
  gan: {
    dispatches: 25,
    learns({ means }) {
      expect(Math.abs(means![0] - 2)).toBeLessThan(0.5);
      expect(Math.abs(means![1] + 1)).toBeLessThan(0.5);
    },
  },
  vae: { dispatches: 19, learns: (told) => expect(last(told, 'reconstruction')).toBeLessThan(0.1) },
  siamese: { dispatches: 21, learns: (told) => expect(last(told, 'accuracy')).toBeGreaterThan(0.95) },
  distillation: {
    dispatches: 18,
    learns(told) {
      expect(last(told, 'accuracy')).toBeGreaterThan(0.95);
      expect(last(told, 'distillation')).toBeLessThan(0.2);
    },
  },
  'gradient-penalty': { dispatches: 24, learns: (told) => expect(last(told, 'penalty')).toBeLessThan(0.05) },
};

test.each(Object.entries(examples))(
  '%s is trained by one captured step',
  async (name, { dispatches, learns }) => {
    const { stdout } = await run(process.execPath, [`scripts/examples/${name}.js`], { cwd: root });
    const told: Told = JSON.parse(stdout.trim().split('\n').at(-1)!);
    learns(told);
    expect(told.dispatches).toBe(dispatches);
    // A second fit takes no memory and binds nothing.
    expect(told.made).toEqual({ bindGroups: 0, buffers: 0, pipelines: 0 });
  },
);
