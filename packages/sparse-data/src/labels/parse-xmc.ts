// Sparse text of the Extreme Classification Repository (Bhatia et al., manikvarma.org/downloads/XC), which is the
// LIBSVM format with a header and several labels per point:
//
//     points features labels
//     label,label feature:value feature:value
//
// A line that begins with white space, or whose first entry has a colon, is a point without labels.

import { type NamedInput, lineError, parseCount, parseNumber } from '../records/record-lines.ts';
import { checkInteger, show, SparseDataError } from '../errors.ts';
import type { TextLines } from '../text/token-stream.ts';

export interface XmcShape {
  /** Number of features: columns of the inputs. */
  readonly features: number;
  /** Number of labels: columns of the targets. */
  readonly labels: number;
}

export interface XmcHeader extends XmcShape {
  readonly points: number;
}

export interface XmcPoint {
  /** Number of the line, from 1. */
  readonly line: number;
  /** The labels of the point, in the order of the file; may be empty. */
  readonly labels: Int32Array;
  readonly features: Int32Array;
  /** The value of each of `features`. */
  readonly values: Float64Array;
  /** The same object for all points of a file. */
  readonly shape: XmcShape;
}

export interface XmcOptions extends NamedInput {
  /**
   * Must be given for a file without a header, such as a LIBSVM file. The file may then have any number of points, and
   * blank lines are skipped.
   */
  readonly shape?: XmcShape;
  /**
   * The number of the first feature in the text: 0 (default), or 1 as in LIBSVM. In the parsed points features are
   * numbered from 0.
   */
  readonly firstFeature?: 0 | 1;
}

const LIMIT = 2 ** 31 - 1;

/**
 * The points of an XMC or LIBSVM file. A blank line is a point without labels and features, except after the last
 * point. Cost: O(characters); memory: one point.
 * @throws SparseDataError on iteration, naming the line: `bad-xmc` for text that is not of the format,
 * `index-out-of-range` for a feature or label beyond the shape, `wrong-count` if the number of points differs from the
 * header, `empty-input`; `bad-option`.
 */
export async function* parseXmc(lines: TextLines, options: XmcOptions = {}): AsyncGenerator<XmcPoint, void, undefined> {
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
  for await (const whole of lines) {
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

/**
 * The first line of an XMC file.
 * @throws SparseDataError `bad-xmc`.
 */
export function parseXmcHeader(text: string, options: NamedInput = {}): XmcHeader {
  const { name = 'input' } = options;
  const numbers = text.trim().split(/\s+/).map(parseCount);
  const [points, features, labels] = numbers;
  if (
    numbers.length !== 3 ||
    points === undefined ||
    features === undefined ||
    labels === undefined ||
    features > LIMIT ||
    labels > LIMIT
  ) {
    throw lineError(
      'bad-xmc',
      'parseXmc',
      name,
      1,
      `${show(text)} is not a header; three integers \`points features labels\`, at most ${LIMIT}, are needed (for a file without a header give its shape)`,
    );
  }
  return { points, features, labels };
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
