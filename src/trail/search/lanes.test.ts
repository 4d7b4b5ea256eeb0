import { expect, it } from 'vitest';
import { openLanes } from './lanes.ts';

const patient = new AbortController().signal;

it('as many work at once as there are lanes; the others come in the order of their arrival', async () => {
  const lanes = openLanes(2);
  const came: string[] = [];
  const work = async (name: string) => {
    const lane = await lanes.take(patient);
    came.push(name);
    return lane;
  };
  const [a, b] = await Promise.all([work('a'), work('b')]);
  const c = work('c');
  const d = work('d');
  await Promise.resolve();
  expect(came).toEqual(['a', 'b']);
  a[Symbol.dispose]();
  a[Symbol.dispose]();
  const third = await c;
  expect(came).toEqual(['a', 'b', 'c']);
  b[Symbol.dispose]();
  third[Symbol.dispose]();
  (await d)[Symbol.dispose]();
  expect(came).toEqual(['a', 'b', 'c', 'd']);
});

it('whoever gives up waiting takes no lane', async () => {
  const lanes = openLanes(1);
  const first = await lanes.take(patient);
  const gone = new AbortController();
  const second = lanes.take(gone.signal);
  const third = lanes.take(patient);
  gone.abort(new Error('gone'));
  await expect(second).rejects.toThrow('gone');
  first[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  await expect(lanes.take(gone.signal)).rejects.toThrow('gone');
  (await lanes.take(patient))[Symbol.dispose]();
});
