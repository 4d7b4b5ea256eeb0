import type { Clock } from '../../kernel/index.ts';
import { cosignatureKey, cosignatureTime, parseCheckpoint } from './checkpoint.ts';
import type { SignedHead } from './head-file.ts';
import { parseSignatures } from './signed-note.ts';
import type { WitnessSetting } from './witness-settings.ts';

/** What came of asking a witness. */
export type WitnessAnswer =
  | { readonly kind: 'cosigned'; readonly line: string }
  /** It does not answer, or not as a witness does. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** It remembers another log than the one that is here. */
  | { readonly kind: 'alert'; readonly reason: string };

/** One witness (C2SP "Transparency Log Witnesses"). */
export interface WitnessClient {
  /** Asks for a cosignature of a signed head. `consistency` makes the proof from an older size. */
  ask(
    head: SignedHead,
    consistency: (older: number) => Promise<readonly Uint8Array[]>,
    signal: AbortSignal,
  ): Promise<WitnessAnswer>;
}

const answerMs = 10_000;
const mostAnswerCharacters = 256 * 1024;
/** The first question may teach the size that the witness remembers; more than that is a witness in disorder. */
const mostAttempts = 3;

interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

async function post(clock: Clock, url: string, body: string, signal: AbortSignal): Promise<HttpAnswer> {
  const stop = new AbortController();
  const abort = () => stop.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const timer = clock.after(answerMs, () =>
    stop.abort(new Error(`no answer within ${answerMs / 1000} seconds`)),
  );
  try {
    const answer = await fetch(url, { method: 'POST', body, redirect: 'error', signal: stop.signal });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > mostAnswerCharacters) throw new Error('it answered with more than a witness says');
    }
    return { status: answer.status, type: answer.headers.get('content-type') ?? '', text };
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', abort);
  }
}

/** The size that a witness says it remembers; undefined when it says none. */
function rememberedSize({ type, text }: HttpAnswer): number | undefined {
  const isSize = type.split(';')[0]?.trim() === 'text/x.tlog.size' && /^(0|[1-9]\d{0,15})\n$/.test(text);
  return isSize ? Number(text) : undefined;
}

/** Why a request failed, in words; `fetch` hides the cause inside. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}

export function openWitnessClient({ key, url }: WitnessSetting, clock: Clock): WitnessClient {
  const cosigner = cosignatureKey(key);
  const address = `${url}/add-checkpoint`;
  /** What the witness cosigned last, as far as it is known. */
  let remembered = 0;

  function readCosignature(head: SignedHead, answer: HttpAnswer): WitnessAnswer {
    const { text } = parseCheckpoint(head.checkpoint).note;
    try {
      const line = parseSignatures(answer.text).find(
        (one) =>
          one.name === cosigner.name &&
          Buffer.compare(one.keyId, cosigner.id) === 0 &&
          cosignatureTime(text, one, cosigner) !== undefined,
      )?.line;
      if (line !== undefined) {
        remembered = head.size;
        return { kind: 'cosigned', line };
      }
    } catch {
      // What is no signature line is answered as the lack of one.
    }
    return { kind: 'failed', reason: 'it answered without a cosignature that its key verifies' };
  }

  /** What a conflict means; undefined when the next attempt, from another size, may do. */
  function readConflict(head: SignedHead, older: number, answer: HttpAnswer): WitnessAnswer | undefined {
    const size = rememberedSize(answer);
    if (size === undefined)
      return { kind: 'failed', reason: 'it answered 409 without the size that it remembers' };
    if (size > head.size) {
      return {
        kind: 'alert',
        reason: `it has seen ${size} records of this log, and only ${head.size} are here: the newest ${size - head.size} were deleted, or an older copy of the data directory was put in place`,
      };
    }
    if (size === older && older === head.size) {
      return {
        kind: 'alert',
        reason: `it remembers other ${size} records than those that are here: records were changed`,
      };
    }
    remembered = size;
    return undefined;
  }

  function readAnswer(head: SignedHead, older: number, answer: HttpAnswer): WitnessAnswer | undefined {
    if (answer.status === 200) return readCosignature(head, answer);
    if (answer.status === 409) return readConflict(head, older, answer);
    if (answer.status === 422 && older > 0) {
      return {
        kind: 'alert',
        reason: `the ${older} records that it has seen are not the first ${older} that are here: records were changed, or deleted and others put in their place`,
      };
    }
    if (answer.status === 404)
      return {
        kind: 'failed',
        reason: 'it does not know this log: give its operator the key of /_cairn/tlog/key',
      };
    if (answer.status === 403) return { kind: 'failed', reason: 'it knows another key of this log' };
    return { kind: 'failed', reason: `it answered ${answer.status}` };
  }

  return {
    async ask(head, consistency, signal) {
      for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
        const older = Math.min(remembered, head.size);
        const proof = await consistency(older);
        const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
        try {
          const answer = await post(clock, address, `old ${older}\n${lines}\n${head.checkpoint}`, signal);
          const read = readAnswer(head, older, answer);
          if (read) return read;
        } catch (error) {
          return { kind: 'failed', reason: reasonOf(error) };
        }
      }
      return { kind: 'failed', reason: 'it remembers another size each time that it is asked' };
    },
  };
}
