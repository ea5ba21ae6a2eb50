/** Models, and what they are made of. */
export * from './models/index.ts';
export * from './parts.ts';
