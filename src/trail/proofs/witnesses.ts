import type { Clock, Logger } from '../../kernel/index.ts';
import type { SignedHead } from './head-file.ts';
import { openWitnessClient, type WitnessAnswer } from './witness-client.ts';
import type { WitnessSetting } from './witness-settings.ts';

/** All witnesses of the log. */
export interface Witnesses extends AsyncDisposable {
  /**
   * Asks all of them to cosign a head. Resolves once those that answered the last time have answered; `onCosigned` is
   * told of every change.
   */
  submit(head: SignedHead): Promise<void>;
  /** Cosignature lines over the head that was submitted last. */
  readonly cosignatures: readonly string[];
  /** What is wrong with whom, one sentence each. */
  readonly problems: readonly string[];
}

export interface WitnessesOptions {
  readonly witnesses: readonly WitnessSetting[];
  readonly consistency: (older: number, newer: number) => Promise<readonly Uint8Array[]>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onCosigned: () => void;
}

/** A checkpoint waits so long for witnesses that answered before; later cosignatures are attached when they come. */
const patienceMs = 400;
const firstRetryMs = 5_000;
const lastRetryMs = 5 * 60_000;

/** Asks one witness, for always the newest head, one question at a time. */
function openAsking(setting: WitnessSetting, options: WitnessesOptions, stop: AbortSignal) {
  const { clock, consistency } = options;
  const { name } = setting.key;
  const log = options.log.child({ part: 'witness', witness: name });
  const client = openWitnessClient(setting, clock);
  let target: SignedHead | undefined;
  let cosigned: { readonly size: number; readonly line: string } | undefined;
  let last: WitnessAnswer | undefined;
  let wake: (() => void) | undefined;
  let waiting: { readonly size: number; readonly done: () => void }[] = [];

  /** One line for each change of what is the matter. */
  function tell(answer: WitnessAnswer): void {
    const before = last?.kind;
    if (answer.kind === 'alert' && before !== 'alert') {
      log.fatal(
        { reason: answer.reason },
        `ALERT: THE RECORD OF EVENTS WAS TAMPERED WITH, says the witness ${name}: ${answer.reason}`,
      );
    } else if (answer.kind === 'failed' && before !== 'failed') {
      log.error({ reason: answer.reason }, 'a witness does not cosign; it is asked again');
    } else if (answer.kind === 'cosigned' && before !== undefined && before !== 'cosigned') {
      log.info('the witness cosigns again');
    }
    // An alert stands until the witness cosigns: that it cannot be reached meanwhile takes nothing back.
    if (!(before === 'alert' && answer.kind === 'failed')) last = answer;
  }

  async function ask(head: SignedHead): Promise<boolean> {
    const answer = await client
      .ask(head, (older) => consistency(older, head.size), stop)
      .catch((error: unknown): WitnessAnswer => ({ kind: 'failed', reason: (error as Error).message }));
    if (stop.aborted) return false;
    tell(answer);
    if (answer.kind === 'cosigned') {
      cosigned = { size: head.size, line: answer.line };
      if (target?.size === head.size) options.onCosigned();
    }
    const reached = answer.kind === 'cosigned' ? head.size : Infinity;
    const done = waiting.filter(({ size }) => size <= reached);
    waiting = waiting.filter(({ size }) => size > reached);
    for (const one of done) one.done();
    return answer.kind === 'cosigned';
  }

  async function run(): Promise<void> {
    let delayMs = firstRetryMs;
    while (!stop.aborted) {
      if (!target || cosigned?.size === target.size) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else if (await ask(target)) {
        delayMs = firstRetryMs;
      } else {
        await clock.sleep(delayMs, stop).catch(() => {});
        delayMs = Math.min(delayMs * 2, lastRetryMs);
      }
    }
  }
  const running = run();

  return {
    submit(head: SignedHead): Promise<void> {
      target = head;
      wake?.();
      if ((last !== undefined && last.kind !== 'cosigned') || cosigned?.size === head.size)
        return Promise.resolve();
      return new Promise((done) => {
        waiting.push({ size: head.size, done });
      });
    },
    get line() {
      return cosigned !== undefined && cosigned.size === target?.size ? cosigned.line : undefined;
    },
    get problem() {
      if (last?.kind === 'alert') return `TAMPERING: the witness ${name} says: ${last.reason}`;
      return last?.kind === 'failed' ? `the witness ${name} does not cosign: ${last.reason}` : undefined;
    },
    async close() {
      wake?.();
      for (const one of waiting.splice(0)) one.done();
      await running;
    },
  };
}

export function openWitnesses(options: WitnessesOptions): Witnesses {
  const { clock } = options;
  const stop = new AbortController();
  const asked = options.witnesses.map((setting) => openAsking(setting, options, stop.signal));
  return {
    async submit(head) {
      if (head.size === 0 || asked.length === 0) return;
      const patience = new AbortController();
      const all = Promise.all(asked.map((one) => one.submit(head)));
      await Promise.race([all, clock.sleep(patienceMs, patience.signal).catch(() => {})]);
      patience.abort(new Error('all have answered'));
    },
    get cosignatures() {
      return asked.flatMap(({ line }) => line ?? []);
    },
    get problems() {
      return asked.flatMap(({ problem }) => problem ?? []);
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the server stops'));
      await Promise.all(asked.map((one) => one.close()));
    },
  };
}
