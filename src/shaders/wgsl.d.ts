/** A shader's text: vite and vitest know `?raw`; the build bundles it with a one-line plugin. */
declare module '*.wgsl?raw' {
  const text: string;
  export default text;
}
