import { expect, it } from 'vitest';
import { manualClock } from '../../kernel/index.ts';
import type { Output } from './output.ts';
import { openProgressView } from './progress-view.ts';

it('where there is no terminal says once why it waits, whatever the id of the request that was refused', () => {
  const notes: string[] = [];
  const output: Output = {
    result: () => Promise.resolve(),
    note: (line) => void notes.push(line),
    noteRaw: (text) => void notes.push(text),
    resultWidth: () => undefined,
    noteWidth: () => undefined,
    resultColour: false,
    closed: new AbortController().signal,
  };
  const view = openProgressView(output, manualClock(0));
  for (const id of ['a-1', 'b-2', 'c-3']) view.hint(`the disk is full (request id ${id})`);
  view.hint('no Cairn listens');
  expect(notes).toEqual(['waiting: the disk is full (request id a-1)', 'waiting: no Cairn listens']);
});
