import type { Clock } from '../../kernel/index.ts';
import type { Answer } from '../http/index.ts';
import { xmlDeclaration } from '../protocol/index.ts';

/** After so long without an answer, and again each time, the client hears that the connection lives. */
const patienceMs = 10_000;

/**
 * The answer as it is when it comes soon. Otherwise a 200 with an XML declaration, white space while the work goes on, and then
 * the document; an error too, since the status has gone out ("CopyObject" and "CompleteMultipartUpload" in the S3 API Reference).
 * Headers of the answer that are known only then are left out. `work` never rejects.
 */
export async function answerInTime(work: Promise<Answer>, clock: Clock): Promise<Answer> {
  const soon = await firstOf(work, clock);
  if (soon) return soon;
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: spaced(work, clock),
  };
}

/** The answer, or undefined when it is not there in time. */
async function firstOf(work: Promise<Answer>, clock: Clock): Promise<Answer | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = clock.after(patienceMs, () => late.resolve(undefined));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    timer.cancel();
  }
}

async function* spaced(work: Promise<Answer>, clock: Clock): AsyncGenerator<Uint8Array> {
  yield Buffer.from(xmlDeclaration);
  for (;;) {
    const answer = await firstOf(work, clock);
    if (answer) {
      yield* documentOf(answer);
      return;
    }
    yield Buffer.from(' ');
  }
}

/** What follows the declaration, which has gone out. */
async function* documentOf({ body }: Answer): AsyncGenerator<Uint8Array> {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    yield* body;
    return;
  }
  const text = Buffer.from(body);
  yield text.subarray(text.indexOf(xmlDeclaration) === 0 ? xmlDeclaration.length : 0);
}
