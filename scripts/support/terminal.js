/** What scripts write: bold and colours on a terminal, plain text elsewhere and wherever NO_COLOR is set. */

/** A mistake of the person at the keyboard, or a machine that lacks something: told without a stack. */
export class Refusal extends Error {}

/**
 * Styles for one stream. `NO_COLOR` (set and not empty: no-color.org) and `TERM=dumb` turn them off.
 *
 * ```js
 * const { bold, green } = styles(process.stdout);
 * console.log(bold('done'));
 * ```
 */
export function styles(stream) {
  const color = stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
  const style = (code) => (text) => (color ? `\x1b[${code}m${text}\x1b[0m` : `${text}`);
  return { bold: style(1), dim: style(2), red: style(31), green: style(32), yellow: style(33) };
}

/** 26421856 → '26,421,856' */
export const thousands = (count) => count.toLocaleString('en-US');

/** 0.8712 → '87.1 %' */
export const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** One line per [name, value], the values below each other. */
export function listing(pairs) {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}   ${value}`).join('\n');
}

/**
 * A confusion matrix as text: a row for what an image shows, a column for what the model says, and the
 * share of each row that is right. The more mistakes, the louder their colour.
 *
 * matrix: [C][C] counts.
 */
export function confusionTable(matrix, names, { bold, dim, red, green, yellow }) {
  const nameWidth = Math.max(...names.map((name) => name.length));
  const cellWidth = Math.max(5, 1 + String(Math.max(...matrix.flat())).length);
  const cell = (text) => String(text).padStart(cellWidth);
  const header = ''.padEnd(nameWidth) + names.map((name) => cell(name.slice(0, 4))).join('');
  const rows = matrix.map((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0) || 1;
    const cells = row.map((count, guess) => {
      if (guess === truth) return green(bold(cell(count)));
      if (count < total / 50) return dim(cell(count || '·'));
      return (count < total / 10 ? yellow : red)(cell(count));
    });
    return names[truth].padEnd(nameWidth) + cells.join('') + percent(row[truth] / total).padStart(9);
  });
  return [dim(header + 'right'.padStart(9)), ...rows].join('\n');
}

/**
 * Shows downloads: a line that counts up on a terminal, one line per file elsewhere. Gives the function to
 * call with `{ file, url, receivedBytes, totalBytes }`.
 */
export function downloadProgress(stream) {
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  let drawnAt = 0;
  return ({ file, url, receivedBytes, totalBytes }) => {
    const line = `downloading ${file} from ${new URL(url).host}`;
    if (!stream.isTTY) {
      if (receivedBytes === 0) stream.write(`${line}\n`);
      return;
    }
    const finished = receivedBytes === totalBytes;
    const now = performance.now();
    if (!finished && receivedBytes > 0 && now - drawnAt < 100) return;
    drawnAt = now;
    const counted = `${megabytes(receivedBytes)} of ${megabytes(totalBytes)} MB`;
    stream.write(`\r\x1b[K${line}: ${counted}${finished ? '\n' : ''}`);
  };
}
