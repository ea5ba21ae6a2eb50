/** The part of papaparse that `csv.ts` uses. */
declare module 'papaparse' {
  interface Row {
    readonly data: string[];
    readonly errors: readonly { readonly type: string; readonly message: string }[];
  }
  interface Parser {
    abort(): void;
  }
  interface Configuration {
    readonly delimiter?: string;
    readonly skipEmptyLines?: boolean | 'greedy';
    readonly step?: (row: Row, parser: Parser) => void;
    readonly complete?: () => void;
  }
  const papaparse: { parse(text: string, configuration: Configuration): void };
  export default papaparse;
}
