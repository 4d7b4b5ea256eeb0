import { expect, it } from 'vitest';
import { openDamageList } from './index.ts';

it('names a place once, however many readers meet it', () => {
  const damage = openDamageList();
  const place = { file: 'a.segment', offset: 100, length: 7, reason: 'the checksum of entry 3 is wrong' };
  damage.add(place);
  damage.add({ ...place });
  damage.add({ ...place, offset: 200 });
  damage.add({ ...place, file: 'b.segment' });
  expect(damage.places.map(({ file, offset }) => [file, offset])).toEqual([
    ['a.segment', 100],
    ['a.segment', 200],
    ['b.segment', 100],
  ]);
});
