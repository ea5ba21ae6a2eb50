/** What the page found, as data to send and as text to paste into a report. */
import type { Engine, OpVerdict, Profile, SelfTestReport, SelfTestResult, SpeedTestResult } from 'weft-gpu';
import { bytes, duration, figures, share, small } from '../shared/units.ts';

/** Features that Weft uses where they are, and what it does without. */
export const FEATURES: readonly { name: string; use: string; without: string }[] = [
  { name: 'shader-f16', use: 'half precision on request', without: 'everything in single precision' },
  {
    name: 'subgroups',
    use: 'products by subgroup broadcast',
    without: 'products by registers and workgroup memory',
  },
  { name: 'timestamp-query', use: 'kernel times by the GPU itself', without: 'kernel times by the clock' },
];

export interface Facts {
  readonly adapter: Pick<
    Profile,
    'vendor' | 'architecture' | 'device' | 'description' | 'isSoftware' | 'backendName' | 'subgroups'
  >;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly browser: string;
  readonly date: string;
}

/** Everything, as it is copied in JSON. */
export interface Result extends Facts {
  readonly ok: boolean;
  readonly test: SelfTestReport;
  readonly speeds: readonly SpeedTestResult[];
}

export function factsOf({ profile }: Engine): Facts {
  const { vendor, architecture, device, description, isSoftware, backendName, subgroups } = profile;
  return {
    adapter: { vendor, architecture, device, description, isSoftware, backendName, subgroups },
    features: [...profile.features].sort(),
    limits: { ...profile.limits },
    browser: navigator.userAgent,
    date: new Date().toISOString(),
  };
}

/** What the adapter is called; browsers tell little. */
export const nameOf = ({ adapter }: Facts): string =>
  adapter.description ||
  adapter.device ||
  [adapter.vendor, adapter.architecture].filter(Boolean).join(' ') ||
  'not told by the browser';

/** Name and value of what matters most. */
export function mainFacts(facts: Facts): [string, string][] {
  const { adapter, limits, features } = facts;
  return [
    ['Name', `${nameOf(facts)}${adapter.isSoftware ? ' (software: computes on the CPU)' : ''}`],
    ['Vendor', [adapter.vendor, adapter.architecture].filter(Boolean).join(', ') || 'not told'],
    ['Subgroups', adapter.subgroups ? `${adapter.subgroups.min} to ${adapter.subgroups.max} lanes` : 'no'],
    [
      'Workgroup',
      `${limits.maxComputeInvocationsPerWorkgroup} lanes, ${bytes(limits.maxComputeWorkgroupStorageSize)} of memory`,
    ],
    [
      'Storage',
      `${limits.maxStorageBuffersPerShaderStage} buffers, ${bytes(limits.maxStorageBufferBindingSize)} a binding, ${bytes(limits.maxBufferSize)} a buffer`,
    ],
    ...FEATURES.map(({ name, use, without }): [string, string] =>
      features.includes(name) ? [name, `✓ ${use}`] : [name, `– not here: ${without}`],
    ),
  ];
}

/** A worst error as a share of what is allowed. */
export function shown(worst: number | null): string {
  if (worst === null) return '–';
  if (!Number.isFinite(worst)) return 'no number';
  return worst === 0 ? 'exact' : share(worst);
}

/** One line about a failed check. */
export function complaint({ op, case: one, kind, error, bound, message }: SelfTestResult): string {
  const what = message?.split('\n')[0] ?? `off by ${small(error)}, allowed ${small(bound)}`;
  return `${op} of ${one || 'no input'}, ${kind}: ${what}`;
}

/** A verdict in one sentence. */
export const verdictOf = ({ passed, failed, ops }: SelfTestReport): string =>
  failed === 0
    ? `All right: ${passed} of ${passed} checks of ${ops.length} ops`
    : `Not right: ${failed} of ${passed + failed} checks failed`;

const line = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`;

/** Markdown, so that it reads well in an issue. */
export function toText(result: Result): string {
  const { test, speeds, browser, date } = result;
  const wrong = test.results.filter(({ passed }) => !passed);
  return [
    `## Weft self-test: ${verdictOf(test)}`,
    '',
    ...mainFacts(result).map(([name, value]) => `- ${name}: ${value}`),
    `- Browser: ${browser}`,
    `- Date: ${date}`,
    ...(wrong.length > 0 ? ['', '### Wrong', '', ...wrong.map((one) => `- ${complaint(one)}`)] : []),
    '',
    '### Speed',
    '',
    line(['kernel', 'work', 'time', 'GFLOP/s', 'GB/s']),
    line(['---', '---', '---:', '---:', '---:']),
    ...speeds.map(({ kernel, work, microseconds, gigaflops, gigabytes }) =>
      line([kernel, work, duration(microseconds), figures(gigaflops), figures(gigabytes)]),
    ),
    '',
    '### Ops: worst error as a share of what is allowed',
    '',
    line(['op', 'cases', 'value', 'gradient', 'verdict']),
    line(['---', '---:', '---:', '---:', '---']),
    ...test.ops.map((one: OpVerdict) =>
      line([
        one.op,
        String(one.cases),
        shown(one.worstValue),
        shown(one.worstGradient),
        one.passed ? 'right' : 'WRONG',
      ]),
    ),
    '',
  ].join('\n');
}
