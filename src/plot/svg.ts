/** SVG as text. Presentation attributes only: a page whose CSP forbids inline styles shows it all the same. */

declare const markup: unique symbol;

/** Finished SVG. Only `element` and `text` make it, so nothing reaches a picture without being escaped. */
export type Markup = string & { readonly [markup]: true };

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** One element; attributes that are undefined are left out, numbers are rounded to a hundredth of a pixel. */
export function element(name: string, attributes: Attributes, ...children: Markup[]): Markup {
  let start = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    start += ` ${key}="${typeof value === 'number' ? round(value) : escaped(value)}"`;
  }
  return (children.length > 0 ? `${start}>${children.join('')}</${name}>` : `${start}/>`) as Markup;
}

/** Characters that a reader sees, whatever they are: class names, layer names, file names. */
export const text = (content: string | number): Markup => escaped(String(content)) as Markup;

/** To a hundredth of a pixel. */
export const round = (value: number): string => String(Math.round(value * 100) / 100 + 0);

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

// XML has no way to write these: control characters (terminal escapes begin with one) and halves of surrogate pairs.
const UNWRITABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for.
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const escaped = (content: string): string =>
  content.replace(UNWRITABLE, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character]);

/** Points as a path; a point with a number that is not finite interrupts the line. */
export function linePath(points: Iterable<readonly [number, number]>): string {
  let path = '';
  let pen: 'M' | 'L' = 'M';
  for (const [x, y] of points) {
    if (Number.isFinite(x) && Number.isFinite(y)) {
      path += `${pen}${round(x)} ${round(y)}`;
      pen = 'L';
    } else {
      pen = 'M';
    }
  }
  return path;
}
