/** Results as a table for the terminal and as Markdown for docs/performance.md. */

/** Processes waiting for a core before a run; above this its numbers are not for quoting. */
export const quiet = 0.3;

/** One workload: what each engine did. */
export function terminalTable(rows) {
  const header = [
    'engine',
    'ms/step',
    '(min–max)',
    '× Weft',
    'dispatches',
    'submits',
    'cold ms',
    'loss',
    'test accuracy',
  ];
  const lines = rows.map((row) =>
    row.failed
      ? [row.name, 'failed', '', '', '', '', '', '', row.failed.split('\n')[0].slice(0, 100)]
      : [
          row.name,
          milliseconds(row.msPerStep.median),
          `(${milliseconds(row.msPerStep.min)}–${milliseconds(row.msPerStep.max)})`,
          row.ratio ? row.ratio.median.toFixed(2) : '–',
          perStep(row.calls.dispatches),
          perStep(row.calls.submits),
          row.coldMilliseconds.toFixed(0),
          row.loss.toFixed(4),
          `${row.testAccuracy.toFixed(3)} after ${row.stepsTotal} steps`,
        ],
  );
  const widths = header.map((_, c) => Math.max(...[header, ...lines].map((line) => line[c]?.length ?? 0)));
  const text = [header, ...lines].map((line) =>
    line
      .map((cell, c) => (c === 0 || c >= 8 ? cell.padEnd(widths[c]) : cell.padStart(widths[c])))
      .join('  ')
      .trimEnd(),
  );
  return `${rows[0].workload}  ${rows[0].title}\n${text.map((line) => `  ${line}`).join('\n')}\n`;
}

/** A run: one row per workload, one column per engine, with what a reader needs to judge and repeat it. */
export function markdown(rows) {
  const [first] = rows;
  const workloads = [...new Set(rows.map((row) => row.workload))];
  const engines = [...new Map(rows.map((row) => [row.engine, row.name]))];
  const cell = (row) => {
    if (!row) return '';
    if (row.failed) return `failed: ${row.failed.split('\n')[0].slice(0, 60)}`;
    const { median, min, max } = row.msPerStep;
    const ratio = row.ratio && row.engine !== 'weft' ? `, **${row.ratio.median.toFixed(1)}×**` : '';
    const spread = `${milliseconds(min)}–${milliseconds(max)}`;
    return `${milliseconds(median)} ms (${spread})${ratio}; ${perStep(row.calls.dispatches)} dispatches`;
  };
  const find = (workload, engine) => rows.find((row) => row.workload === workload && row.engine === engine);
  return [
    `${first.date.slice(0, 10)}, commit ${first.commit}, ${first.adapter.name}${label(first)}, ${first.runtime}, ` +
      `${first.machine}. Data: ${first.data}. Milliseconds per training step, median (fastest–slowest) of ` +
      `${roundsOf(rows)} interleaved rounds; × is the time relative to Weft's in the same rounds.` +
      (first.load > quiet ? ` The machine was not quiet (load ${first.load.toFixed(1)}).` : ''),
    '',
    `| workload | ${engines.map(([, name]) => name).join(' | ')} |`,
    `|---|${engines.map(() => '---|').join('')}`,
    ...workloads.map((workload) => {
      const { title } = rows.find((row) => row.workload === workload);
      return `| ${workload} ${title} | ${engines.map(([id]) => cell(find(workload, id))).join(' | ')} |`;
    }),
  ].join('\n');
}

export const label = ({ adapter }) => (adapter.software ? ' (software adapter, no GPU)' : '');

function roundsOf(rows) {
  const counts = rows.filter((row) => !row.failed).map((row) => row.rounds.length);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? `${least}` : `${least}–${most}`;
}

const milliseconds = (value) => value.toFixed(value < 10 ? 2 : 1);
const perStep = (value) => (value < 0.05 ? value.toFixed(2) : value.toFixed(value < 10 ? 1 : 0));
