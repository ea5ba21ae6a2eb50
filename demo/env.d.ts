/** What scripts/build-demo.js can import beyond TypeScript. */
declare module '*?worker&inline' {
  const InlineWorker: new (options?: WorkerOptions) => Worker;
  export default InlineWorker;
}
