import { readLines } from './lines.ts';

/** One event of a server-sent event stream (WHATWG HTML, "Server-sent events"). */
export interface ServerSentEvent {
  /** The last id that the stream gave, to go on from with Last-Event-ID. */
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/**
 * Reads a server-sent event stream. Comments and events without data are left out; the ids that those carry (the server's
 * heartbeat does) go to `onId`, so that a new connection need not go over quiet stretches again.
 */
export async function* readServerSentEvents(
  body: AsyncIterable<Uint8Array>,
  onId?: (id: string) => void,
): AsyncIterable<ServerSentEvent> {
  let id: string | undefined;
  let event = '';
  let data: string[] = [];
  for await (const bytes of readLines(body)) {
    const line = bytes.toString('utf8');
    if (line === '') {
      if (data.length === 0 && id !== undefined) onId?.(id);
      if (data.length > 0) yield { id, event: event || 'message', data: data.join('\n') };
      event = '';
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    if (colon === 0) continue;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
  }
}
