/** jax-js, in one place: packed (scripts/pack-bench.js) it becomes one file. */
export * from '@jax-js/jax';
