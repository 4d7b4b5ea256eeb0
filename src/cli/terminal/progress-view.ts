import type { Clock } from '../../kernel/index.ts';
import type { Output } from './output.ts';
import { openRateMeter, plainProgressLine, progressLine, type Progress } from './progress.ts';

/** Shows how far an import or an export is: a bar on a terminal, a line every ten seconds elsewhere. */
export interface ProgressView {
  update(progress: Progress): void;
  /** Why nothing moves at the moment; undefined when it does. */
  hint(text: string | undefined): void;
  /** A line that stays, above the bar. */
  note(line: string): void;
  /** Takes the bar away. */
  close(): void;
}

const barEveryMs = 100;
const lineEveryMs = 10_000;
/** Every refusal has an id of its own, which makes it no other reason. */
function reasonOf(hint: string | undefined): string | undefined {
  return hint?.replace(/ \(request id [^)]*\)/, '');
}

const clearLine = '\r\u001b[2K';

/** Opens the view; nothing shows before the first update. */
export function openProgressView(output: Output, clock: Clock): ProgressView {
  const meter = openRateMeter();
  let progress: Progress | undefined;
  let waiting: string | undefined;
  let drawnAtMs = clock.monotonic();
  let barShown = false;
  const isTerminal = output.noteWidth() !== undefined;

  const hide = () => {
    if (barShown) output.noteRaw(clearLine);
    barShown = false;
  };
  const draw = () => {
    if (!progress) return;
    drawnAtMs = clock.monotonic();
    const width = output.noteWidth();
    if (width === undefined) {
      output.note(plainProgressLine(progress, meter.rate()));
      return;
    }
    output.noteRaw(`\r${progressLine(progress, meter.rate(), width - 1, waiting)}\u001b[K`);
    barShown = true;
  };
  return {
    update(next) {
      progress = { ...next };
      meter.sample(clock.monotonic(), next);
      if (clock.monotonic() - drawnAtMs >= (isTerminal ? barEveryMs : lineEveryMs)) draw();
    },
    hint(text) {
      const before = waiting;
      waiting = text === undefined ? undefined : `waiting: ${text}`;
      if (reasonOf(before) === reasonOf(waiting)) return;
      if (isTerminal) draw();
      else if (waiting !== undefined) output.note(waiting);
    },
    note(line) {
      hide();
      output.note(line);
      if (isTerminal) draw();
    },
    close: hide,
  };
}
