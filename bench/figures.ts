import { cpus } from 'node:os';

/** Figures of a benchmark: how they are taken, and how they are printed. */

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** Runs `work` and gives its milliseconds. */
export async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export interface Figure {
  readonly what: string;
  readonly figure: string;
  readonly target?: string;
}

/** Four significant digits at most, thousands apart. */
export function round(value: number): string {
  const digits = Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return Number(value.toFixed(Math.min(digits, 3))).toLocaleString('en-GB');
}

/** Gathers figures. Each is told on standard error as it comes. */
export function openFigures() {
  const figures: Figure[] = [];
  return {
    report: (what: string, figure: string, target?: string): void => {
      figures.push({ what, figure, ...(target === undefined ? {} : { target }) });
      console.error(`${what}: ${figure}`);
    },
    print: (title: string) => printFigures(title, figures),
  };
}

/** Prints the figures as a table for docs/benchmarks.md, under a line that says on what they were taken. */
export function printFigures(title: string, figures: readonly Figure[]): void {
  const [cpu] = cpus();
  const date = new Date().toISOString().slice(0, 10);
  console.log(
    `\n## ${title}\n\n${date}, ${cpus().length} cores of ${cpu?.model ?? 'unknown'}, Node ${process.version}\n`,
  );
  console.log('| what | figure | target |\n|---|---|---|');
  for (const { what, figure, target } of figures) console.log(`| ${what} | ${figure} | ${target ?? ''} |`);
}
