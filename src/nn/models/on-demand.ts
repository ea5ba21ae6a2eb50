/**
 * What is seldom asked for. What else is loaded stands with the model, where it is asked for: rolldown keeps all
 * that a file could load, and a page without models would carry files.
 */
export const seldom = () => import('./seldom.ts');
