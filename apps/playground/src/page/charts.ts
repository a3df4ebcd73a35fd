/** A curve for each output layer, drawn at most once a frame. */
import uPlot, { type AlignedData } from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { short } from './numbers.ts';

export type Axis = 'seconds' | 'examples';

/** Told apart also by people who see few colours (Okabe and Ito), and on light and dark ground. */
export const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'] as const;
const dashes = [[], [6, 3], [2, 2], [8, 3, 2, 3]] as const;

type Point = { readonly [Name in Axis]: number };

export interface ChartOptions<Of extends Point> {
  readonly value: (point: Of) => number;
  readonly format: (value: number) => string;
  readonly height: number;
}

export class Chart<Of extends Point> {
  readonly #element: HTMLElement;
  readonly #options: ChartOptions<Of>;
  #plot: uPlot | undefined;
  #curves: readonly (readonly Of[])[] = [];
  #axis: Axis = 'seconds';
  #isAsked = false;

  constructor(element: HTMLElement, options: ChartOptions<Of>) {
    this.#element = element;
    this.#options = options;
    new ResizeObserver(() => {
      this.#plot?.setSize({ width: element.clientWidth, height: options.height });
    }).observe(element);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#plot?.redraw();
    });
  }

  /** @param curves one for each name; they may grow afterwards. */
  show(names: readonly string[], curves: readonly (readonly Of[])[]): void {
    this.#plot?.destroy();
    this.#curves = curves;
    this.#plot = new uPlot(this.#settings(names), this.#data(), this.#element);
  }

  set axis(axis: Axis) {
    this.#axis = axis;
    this.update();
  }

  get canvas(): HTMLCanvasElement | undefined {
    return this.#plot?.ctx.canvas;
  }

  /** At the next frame. */
  update(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      this.#plot?.setData(this.#data());
    });
  }

  #data(): AlignedData {
    const { value } = this.#options;
    const tables = this.#curves.map((curve): AlignedData => [
      curve.map((point) => point[this.#axis]),
      curve.map((point) => value(point)),
    ]);
    if (tables.length === 0) return [[]];
    const [only] = tables;
    return tables.length === 1 && only !== undefined ? only : uPlot.join(tables);
  }

  #settings(names: readonly string[]): uPlot.Options {
    const { format, height } = this.#options;
    const ink = (): string => getComputedStyle(this.#element).color;
    const grid = { stroke: () => getComputedStyle(this.#element).borderTopColor, width: 1 };
    return {
      width: this.#element.clientWidth,
      height,
      scales: { x: { time: false } },
      legend: { live: false },
      cursor: { drag: { x: false, y: false } },
      axes: [
        { stroke: ink, grid, ticks: grid, values: (_, ticks) => ticks.map(short) },
        { stroke: ink, grid, ticks: grid, values: (_, ticks) => ticks.map(format), size: 56 },
      ],
      series: [
        { label: '' },
        ...names.map((label, index) => ({
          label,
          stroke: colours[index % colours.length] ?? 'black',
          width: 2,
          dash: [...(dashes[index % dashes.length] ?? [])],
          spanGaps: true,
          points: { show: false },
        })),
      ],
    };
  }
}
