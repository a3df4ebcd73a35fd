/** The parser of points as strings: what the parser of bytes must give, results and errors. */
import { checkInteger, show, SparseDataError } from '../../src/errors.ts';
import { parseXmcHeader, type XmcOptions, type XmcPoint, type XmcShape } from '../../src/labels/parse-xmc.ts';
import { lineError, parseCount, parseNumber } from '../../src/records/record-lines.ts';

const LIMIT = 2 ** 31 - 1;

export function* naiveParseXmc(
  lines: readonly string[],
  options: XmcOptions = {},
): Generator<XmcPoint, void, undefined> {
  const { name = 'input', firstFeature = 0 } = options;
  checkInteger('parseXmc', 'firstFeature', firstFeature, 0, 1);
  let shape = options.shape;
  let points = Number.POSITIVE_INFINITY;
  if (shape !== undefined) {
    checkInteger('parseXmc', 'shape.features', shape.features, 0, LIMIT);
    checkInteger('parseXmc', 'shape.labels', shape.labels, 0, LIMIT);
  }
  let line = 0;
  let seen = 0;
  for (const whole of lines) {
    line++;
    // A byte order mark, at the start of the text or where texts were joined.
    const text = whole.startsWith('\ufeff') ? whole.slice(1) : whole;
    if (shape === undefined) {
      const header = parseXmcHeader(text, { name });
      shape = { features: header.features, labels: header.labels };
      points = header.points;
      continue;
    }
    if (text.trim() === '' && (options.shape !== undefined || seen === points)) continue;
    if (seen === points) {
      throw lineError(
        'wrong-count',
        'parseXmc',
        name,
        line,
        `point ${seen + 1} follows, but the header says ${points} points; correct the header or remove the line`,
      );
    }
    seen++;
    yield parsePoint(text, line, shape, firstFeature, name);
  }
  if (shape === undefined)
    throw new SparseDataError(
      'empty-input',
      `parseXmc: ${name} has no lines; a header \`points features labels\` is needed`,
    );
  if (options.shape === undefined && seen < points) {
    throw lineError(
      'wrong-count',
      'parseXmc',
      name,
      line,
      `the input ends after ${seen} points, but the header says ${points}; it is cut off, or the header is wrong`,
    );
  }
}

function parsePoint(text: string, line: number, shape: XmcShape, firstFeature: number, name: string): XmcPoint {
  const bad = (message: string): SparseDataError => lineError('bad-xmc', 'parseXmc', name, line, message);
  const outOfRange = (kind: string, index: number, count: number, first: number): SparseDataError =>
    lineError(
      'index-out-of-range',
      'parseXmc',
      name,
      line,
      `${kind} is ${index}, but there are ${count} ${kind}s; ${count === 0 ? 'none is allowed' : `they are ${first}..${count - 1 + first}`}`,
    );
  const entries = text.trim() === '' ? [] : text.trim().split(/[ \t]+/);
  const hasLabels = entries[0]?.includes(':') === false && !/^\s/.test(text);
  const labelTexts = hasLabels ? (entries.shift() ?? '').split(',') : [];
  const labels = new Int32Array(labelTexts.length);
  labelTexts.forEach((labelText, at) => {
    const label = parseCount(labelText);
    if (label === undefined)
      throw bad(
        `label ${show(labelText)} is not an integer of at least 0; labels are separated by commas, without spaces`,
      );
    if (label >= shape.labels) throw outOfRange('label', label, shape.labels, 0);
    labels[at] = label;
  });
  const features = new Int32Array(entries.length);
  const values = new Float64Array(entries.length);
  entries.forEach((entry, at) => {
    const colon = entry.indexOf(':');
    const feature = parseCount(entry.slice(0, Math.max(0, colon)));
    const value = parseNumber(entry.slice(colon + 1));
    if (feature === undefined || value === undefined)
      throw bad(`entry ${at + 1} is ${show(entry)}; \`feature:value\`, an integer and a finite number, is needed`);
    if (feature < firstFeature || feature - firstFeature >= shape.features)
      throw outOfRange('feature', feature, shape.features, firstFeature);
    features[at] = feature - firstFeature;
    values[at] = value;
  });
  return { line, labels, features, values, shape };
}
