import { describe, expect, it } from 'vitest';
import { DiskFullError, manualClock, sequence, silentLog } from '../../kernel/index.ts';
import type { NewEntry, Stream } from '../../journal/index.ts';
import { openRecordQueue } from './record-queue.ts';

const entry = (name: string): NewEntry => ({ kind: 'record', payload: Buffer.from(name) });

/** A journal that takes entries when it is told to. */
function openGate() {
  const taken: string[] = [];
  const groups: number[] = [];
  let open = true;
  let failures = 0;
  let release: (() => void)[] = [];
  const stream = {
    async append(group: readonly NewEntry[]) {
      if (failures > 0) {
        failures--;
        throw new DiskFullError('no room');
      }
      if (!open) await new Promise<void>((resolve) => release.push(resolve));
      groups.push(group.length);
      taken.push(...group.map(({ payload }) => Buffer.from(payload).toString()));
      return sequence(0);
    },
  } as unknown as Stream;
  return {
    stream,
    taken,
    groups,
    close: () => {
      open = false;
    },
    open() {
      open = true;
      for (const go of release) go();
      release = [];
    },
    fail: (times: number) => {
      failures = times;
    },
  };
}

function setUp(bound = 3) {
  const gate = openGate();
  const clock = manualClock(0);
  const queue = openRecordQueue({
    stream: gate.stream,
    clock,
    log: silentLog,
    bound,
    waitMs: 5_000,
    closeMs: 1_000,
  });
  return { gate, clock, queue };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the queue of records behind answers', () => {
  it('takes records at once and appends them in order, those of one turn together', async () => {
    const { gate, queue } = setUp(10);
    await Promise.all(['a', 'b', 'c'].map((name) => queue.add(entry(name))));
    expect(queue.pending).toBe(3);
    await queue.flush();
    expect(gate.taken).toEqual(['a', 'b', 'c']);
    expect(gate.groups).toEqual([3]);
    expect(queue.pending).toBe(0);
  });

  it('lets a read wait for room when the bound is reached, rather than go unrecorded', async () => {
    const { gate, queue } = setUp(2);
    gate.close();
    await queue.add(entry('a'));
    await queue.add(entry('b'));
    let third = false;
    const waiting = queue.add(entry('c')).finally(() => {
      third = true;
    });
    await turn();
    expect(third).toBe(false);
    expect(queue.pending).toBe(2);
    gate.open();
    await waiting;
    await queue.flush();
    expect(gate.taken).toEqual(['a', 'b', 'c']);
  });

  it('refuses a read that found no room in time, and does not record it', async () => {
    const { gate, clock, queue } = setUp(1);
    gate.close();
    await queue.add(entry('a'));
    const waiting = expect(queue.add(entry('b'))).rejects.toMatchObject({
      code: 'ServiceUnavailable',
      status: 503,
    });
    await clock.advance(5_001);
    await waiting;
    gate.open();
    await queue.flush();
    expect(gate.taken).toEqual(['a']);
  });

  it('tries again until the journal takes the records', async () => {
    const { gate, clock, queue } = setUp();
    gate.fail(4);
    await queue.add(entry('a'));
    for (let tries = 0; tries < 10 && queue.pending > 0; tries++) {
      await turn();
      await clock.advance(2_000);
    }
    expect(gate.taken).toEqual(['a']);
  });

  it('appends what is pending when it is closed, and takes nothing more', async () => {
    const { gate, queue } = setUp();
    await queue.add(entry('a'));
    await queue[Symbol.asyncDispose]();
    expect(gate.taken).toEqual(['a']);
    await expect(queue.add(entry('b'))).rejects.toMatchObject({ code: 'ServiceUnavailable' });
  });

  it('gives up when it is closed and the journal takes nothing for too long', async () => {
    const { gate, clock, queue } = setUp();
    gate.fail(1_000);
    await queue.add(entry('a'));
    const closing = queue[Symbol.asyncDispose]();
    for (let tries = 0; tries < 10; tries++) {
      await clock.advance(200);
      await turn();
    }
    await closing;
    expect(queue.pending).toBe(1);
  });
});
