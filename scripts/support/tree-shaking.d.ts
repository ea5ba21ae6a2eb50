export function withPureConstants(code: string): string;
