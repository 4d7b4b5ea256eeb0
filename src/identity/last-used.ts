import { limits, type Clock, type Logger, type Timer } from '../kernel/index.ts';
import type { State } from '../state/index.ts';
import type { Call } from '../wire/index.ts';
import { keys, type LastUsedDocument } from './documents.ts';
import { requestedRegion } from './requested-region.ts';

/**
 * Notes when access keys and roles were last used, for GetAccessKeyLastUsed and GetRole. Off the requests' path: uses are
 * kept in mind, and written together a moment later, each key at most once a minute.
 */
export interface LastUsed extends AsyncDisposable {
  /** `action` tells the service, such as `iam:GetUser`; calls that need no permission are STS's. */
  note(call: Call, action: string | undefined): void;
}

/** How long the first use waits for others to be written with it. */
const gatherMs = 1000;

interface Use {
  readonly document: LastUsedDocument;
  /** The document without which the use has become pointless: its key or role was deleted. */
  readonly owner: string;
  /** When it may be written, on the monotonic clock. */
  readonly due: number;
}

function useOf(
  call: Call,
  action: string | undefined,
): { key: string; owner: string; document: LastUsedDocument } {
  const { principal } = call;
  const region = requestedRegion(call, action);
  const time = Math.floor(call.time / 1000) * 1000;
  if (principal.type === 'AssumedRole') {
    return {
      key: keys.roleLastUsed(principal.role.principalId),
      owner: keys.role(principal.accountId, principal.role.name),
      document: { time, region },
    };
  }
  const [service = 'sts'] = action?.split(':') ?? [];
  return {
    key: keys.accessKeyLastUsed(principal.accessKeyId),
    owner: keys.accessKey(principal.accessKeyId),
    document: { time, region, service },
  };
}

/** Opens the notebook. Disposing of it writes what is still to be written. */
export function openLastUsed(options: {
  readonly state: State;
  readonly clock: Clock;
  readonly log: Logger;
}): LastUsed {
  const { state, clock, log } = options;
  const pending = new Map<string, Use>();
  const written = new Map<string, number>();
  let timer: Timer | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function commit(uses: readonly (readonly [string, Use])[]): Promise<void> {
    const change = state.begin();
    for (const [key, use] of uses) {
      if (await change.get(use.owner)) change.put(key, use.document);
    }
    const result = await state.commit(change, []);
    if (result.kind === 'conflict') throw new Error('an access key was changed at the same moment');
  }

  async function write(all: boolean): Promise<void> {
    const now = clock.monotonic();
    const uses = [...pending].filter(([, use]) => all || use.due <= now);
    for (const [key] of uses) {
      pending.delete(key);
      written.delete(key);
      written.set(key, now);
    }
    for (const [key] of written) {
      if (written.size <= limits.lastUsedEntries) break;
      written.delete(key);
    }
    try {
      if (uses.length > 0) await commit(uses);
    } catch (error) {
      // The next use is written in its place. Losing one is bearable, holding up anything for it is not.
      log.debug({ err: error }, 'the last use of access keys was not written');
    }
  }

  /** Ticks as long as something is to be written. */
  function schedule(): void {
    if (pending.size === 0) return;
    timer ??= clock.after(gatherMs, () => {
      timer = undefined;
      writing = writing.then(() => write(false)).then(schedule);
    });
  }

  return {
    note(call, action) {
      if (call.principal.type !== 'AssumedRole' && call.principal.session) return;
      const { key, owner, document } = useOf(call, action);
      const known = pending.get(key);
      if (known) {
        pending.set(key, { ...known, document });
        return;
      }
      if (pending.size >= limits.lastUsedEntries) return;
      const now = clock.monotonic();
      const next = (written.get(key) ?? -Infinity) + limits.lastUsedEveryMs;
      pending.set(key, { document, owner, due: Math.max(now + gatherMs, next) });
      schedule();
    },
    async [Symbol.asyncDispose]() {
      timer?.cancel();
      await writing;
      await write(true);
    },
  };
}
