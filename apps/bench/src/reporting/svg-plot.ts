/** Vega-Lite specifications rendered to SVG without a browser or a canvas. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

export type PlotValue = Readonly<Record<string, string | number>>;

const width = 560;
/** Pixels, of which Vega without a canvas takes 8 for every letter. */
export const labelLimit = 480;

export function frame(
  title: string,
  values: readonly PlotValue[],
): { title: string; width: number; background: string; data: { values: PlotValue[] } } {
  return { title, width, background: 'white', data: { values: [...values] } };
}

export function renderSvg(specification: TopLevelSpec): Promise<string> {
  return new View(parse(compile(specification).spec), { renderer: 'none' }).toSVG();
}
