import type { Clock } from '../../kernel/index.ts';
import { formatBytes, formatCount } from '../terminal/figures.ts';
import type { Output } from '../terminal/output.ts';
import { cutToWidth, displayWidth } from '../terminal/text.ts';
import type { VerifyTotals } from './verify-run.ts';

/** Shows how far the command is: a bar on a terminal, a line every ten seconds elsewhere. */
export interface ProgressBar {
  update(): void;
  /** Takes the bar away, so that something else can be written. */
  hide(): void;
}

const barEveryMs = 100;
const lineEveryMs = 10_000;
const clearLine = '\r\u001b[2K';
const widestBar = 30;

function drawBar(totals: VerifyTotals, width: number | undefined): string {
  const { filesDone, filesTotal, bytesDone, findings } = totals;
  const fraction = filesTotal === 0 ? 0 : filesDone / filesTotal;
  const percent = `${Math.floor(fraction * 100)}%`.padStart(4);
  const problems = findings === 0 ? '' : `  ${formatCount(findings)} findings`;
  const tail = `${percent}  ${formatCount(filesDone)}/${formatCount(filesTotal)} files  ${formatBytes(bytesDone)}${problems}`;
  if (width === undefined) return tail.trimStart();
  const room = Math.min(widestBar, width - displayWidth(tail) - 3);
  if (room < 5) return cutToWidth(tail.trimStart(), width);
  const filled = Math.floor(fraction * room);
  return `[${'#'.repeat(filled)}${'.'.repeat(room - filled)}] ${tail}`;
}

/** Opens the bar over totals that go on changing; nothing shows in the first moments. */
export function openProgressBar(output: Output, clock: Clock, totals: VerifyTotals): ProgressBar {
  let drawnAtMs = clock.monotonic();
  let isShown = false;
  return {
    update() {
      const width = output.noteWidth();
      const now = clock.monotonic();
      if (now - drawnAtMs < (width === undefined ? lineEveryMs : barEveryMs)) return;
      drawnAtMs = now;
      if (width === undefined) output.note(drawBar(totals, undefined));
      else {
        output.noteRaw(`\r${drawBar(totals, width - 1)}\u001b[K`);
        isShown = true;
      }
    },
    hide() {
      if (isShown) output.noteRaw(clearLine);
      isShown = false;
    },
  };
}
