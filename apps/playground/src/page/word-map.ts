/** Words at their places on a plane, as an SVG; those that would cover another are dots. */

const [width, height, margin, letter, line] = [760, 480, 40, 7.5, 15] as const;

export interface PlacedWord {
  readonly word: string;
  readonly x: number;
  readonly y: number;
}

export function drawMap(words: readonly PlacedWord[]): SVGSVGElement {
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img' });
  drawing.setAttribute('aria-label', `Map of ${words.length} words: near words have similar vectors`);
  const scale = (of: (word: PlacedWord) => number, size: number): ((word: PlacedWord) => number) => {
    const values = words.map(of);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return (word) => margin + ((of(word) - least) / Math.max(1e-9, most - least)) * (size - 2 * margin);
  };
  const [x, y] = [scale((word) => word.x, width), scale((word) => -word.y, height)];
  const taken: (readonly [number, number, number])[] = [];
  for (const word of words) {
    const [left, top, half] = [x(word), y(word), (word.word.length * letter) / 2];
    const isFree = taken.every(([a, b, other]) => Math.abs(a - left) > half + other || Math.abs(b - top) > line);
    if (isFree) {
      taken.push([left, top, half]);
      const text = svg('text', { x: String(left), y: String(top), 'text-anchor': 'middle' });
      text.textContent = word.word;
      drawing.append(text);
    } else {
      const dot = svg('circle', { cx: String(left), cy: String(top), r: '2' });
      const title = svg('title', {});
      title.textContent = word.word;
      dot.append(title);
      drawing.append(dot);
    }
  }
  return drawing;
}

function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>>,
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  return element;
}
