import { StringDecoder } from 'node:string_decoder';
import type { Writable } from 'node:stream';

/** Where a command writes: results on standard output, everything else on standard error. */
export interface Output {
  /** Writes a result; resolves once it has been handed over, so that a slow reader slows the command, not memory. */
  result(text: string | Uint8Array): Promise<void>;
  /** Tells the person something: progress, hints, problems. */
  note(line: string): void;
  /** Writes to standard error as it is, for the progress bar. */
  noteRaw(text: string): void;
  /** Columns of the terminal that results go to; undefined when that is no terminal. */
  readonly resultWidth: () => number | undefined;
  /** Columns of the terminal that notes go to; undefined when that is no terminal. */
  readonly noteWidth: () => number | undefined;
  readonly resultColour: boolean;
  /** Aborted when whoever read the results has gone (as `| head` does): stop quietly. */
  readonly closed: AbortSignal;
}

type Stream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** NO_COLOR (no-color.org) and a terminal that says it is dumb turn colours off; so does anything but a terminal. */
export function wantsColour(env: NodeJS.ProcessEnv, stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

function widthOf(stream: Stream): number | undefined {
  if (!stream.isTTY) return undefined;
  return stream.columns && stream.columns > 0 ? stream.columns : 80;
}

/**
 * Controls above ASCII act on a terminal too (U+009B begins a sequence as ESC [ does), and raw JSON may hold them. As
 * escapes they are the same JSON. Controls below are never in raw JSON, only in what this program draws.
 */
function escapeHighControls(text: string): string {
  return text.replace(/[\u007f-\u009f]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`);
}

/** Opens the output. A broken pipe on either stream is no error: the reader had enough. */
export function openOutput(stdout: Stream, stderr: Stream, env: NodeJS.ProcessEnv): Output {
  const gone = new AbortController();
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') stderr.write(`cairn: cannot write the results: ${error.message}\n`);
    gone.abort(error);
  });
  // Nobody is left to tell when standard error itself is gone.
  stderr.on('error', () => undefined);
  const decoder = new StringDecoder('utf8');
  const shown = (text: string | Uint8Array): string | Uint8Array => {
    if (!stdout.isTTY) return text;
    return escapeHighControls(typeof text === 'string' ? text : decoder.write(Buffer.from(text)));
  };
  return {
    result(text) {
      if (gone.signal.aborted) return Promise.reject(gone.signal.reason as Error);
      return new Promise((resolve, reject) => {
        stdout.write(shown(text), (error) => {
          if (error) reject(error);
          else resolve();
        });
      });
    },
    note: (line) => void stderr.write(`${line}\n`),
    noteRaw: (text) => void stderr.write(text),
    resultWidth: () => widthOf(stdout),
    noteWidth: () => (env['TERM'] === 'dumb' ? undefined : widthOf(stderr)),
    resultColour: wantsColour(env, stdout),
    closed: gone.signal,
  };
}

const paints = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;

/** The text in a colour, if `on`. */
export function paint(text: string, colour: keyof typeof paints, on: boolean): string {
  return on ? `\u001b[${paints[colour]}m${text}\u001b[0m` : text;
}
