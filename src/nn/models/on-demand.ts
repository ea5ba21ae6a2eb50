/** What models load when it is first needed. */
export const running = () => import('./running.ts');
export const seldom = () => import('./seldom.ts');
export const formats = () => import('../saving/formats.ts');
