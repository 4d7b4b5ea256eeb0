import { cutToWidth, displayWidth } from './text.ts';
import { formatBytes, formatCount, formatDuration } from './figures.ts';

/** How far an import or an export is. */
export interface Progress {
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly events: number;
  /** Where it is known beforehand and the bytes are not. */
  readonly eventsTotal?: number;
}

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
  readonly events: number;
}

export interface Rate {
  readonly eventsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Measures how fast it goes over the last seconds, so that the time left follows what happens now. */
export interface RateMeter {
  /** Takes where the import stands at `atMs` (monotonic). */
  sample(atMs: number, progress: Pick<Progress, 'bytesDone' | 'events'>): void;
  /** Undefined until two samples lie apart. */
  rate(): Rate | undefined;
}

/** Samples closer together than this say nothing new. */
const sampleEveryMs = 50;

/** Opens a meter over the last `windowMs`. */
export function openRateMeter(windowMs = 10_000): RateMeter {
  let samples: Sample[] = [];
  return {
    sample(atMs, { bytesDone, events }) {
      const last = samples.at(-1);
      if (last && atMs - last.atMs < sampleEveryMs) return;
      samples.push({ atMs, bytes: bytesDone, events });
      const firstInside = samples.findIndex((one) => one.atMs >= atMs - windowMs);
      // One sample from before the window stays, so that the window is always covered whole.
      if (firstInside > 1) samples = samples.slice(firstInside - 1);
    },
    rate() {
      const [first] = samples;
      const last = samples.at(-1);
      if (!first || !last || last.atMs <= first.atMs) return undefined;
      const seconds = (last.atMs - first.atMs) / 1000;
      return {
        eventsPerSecond: (last.events - first.events) / seconds,
        bytesPerSecond: (last.bytes - first.bytes) / seconds,
      };
    },
  };
}

/** Milliseconds until what is left is done at this rate; undefined when that cannot be said. */
export function timeLeftMs(progress: Progress, rate: Rate | undefined): number | undefined {
  const { events, eventsTotal, bytesDone, bytesTotal } = progress;
  const isByEvents = eventsTotal !== undefined;
  const left = isByEvents ? eventsTotal - events : bytesTotal - bytesDone;
  const perSecond = (isByEvents ? rate?.eventsPerSecond : rate?.bytesPerSecond) ?? 0;
  if (left <= 0) return 0;
  return perSecond <= 0 ? undefined : (left / perSecond) * 1000;
}

/** The part that is done, 0 to 1: by events or bytes, or by files when all of them are empty. */
export function fractionDone(progress: Progress): number {
  const { filesDone, filesTotal, bytesDone, bytesTotal, events, eventsTotal = 0 } = progress;
  if (eventsTotal > 0) return Math.min(1, events / eventsTotal);
  if (bytesTotal > 0) return Math.min(1, bytesDone / bytesTotal);
  return filesTotal > 0 ? Math.min(1, filesDone / filesTotal) : 1;
}

function figures(progress: Progress, rate: Rate | undefined): string {
  const left = timeLeftMs(progress, rate);
  const parts = [
    `${formatCount(progress.filesDone)}/${formatCount(progress.filesTotal)} files`,
    `${formatCount(progress.events)} events`,
  ];
  if (rate) {
    parts.push(`${formatCount(rate.eventsPerSecond)} events/s`, `${formatBytes(rate.bytesPerSecond)}/s`);
  }
  if (left !== undefined) parts.push(`${formatDuration(left)} left`);
  return parts.join('  ');
}

/** The progress bar as one line of at most `width` columns. */
export function progressLine(
  progress: Progress,
  rate: Rate | undefined,
  width: number,
  hint: string | undefined,
): string {
  const fraction = fractionDone(progress);
  const percent = `${Math.floor(fraction * 100)}%`.padStart(4);
  const tail = `${percent}  ${figures(progress, rate)}${hint === undefined ? '' : `  ${hint}`}`;
  const room = Math.min(30, width - displayWidth(tail) - 3);
  if (room < 5) return cutToWidth(tail.trimStart(), width);
  const filled = Math.floor(fraction * room);
  return `[${'#'.repeat(filled)}${'.'.repeat(room - filled)}] ${tail}`;
}

/** The progress as a plain line, for logs. */
export function plainProgressLine(progress: Progress, rate: Rate | undefined): string {
  return `${Math.floor(fractionDone(progress) * 100)}%  ${figures(progress, rate)}`;
}
