import type { Clock, Random } from '../../kernel/index.ts';
import type { Check } from './check.ts';
import { checkHistory } from './history-check.ts';
import { checkJournal } from './journal-check.ts';
import { checkLake } from './lake-check.ts';
import { checkObjects } from './objects-check.ts';
import { checkState, openStateOf } from './state-check.ts';
import { checkTree } from './tree-check.ts';

const notChecked: Check = {
  level: 'ok',
  name: 'not checked',
  finding:
    'results of queries (lake-results) and what insights counted (insights): neither has checksums, and both can be had again',
};

/**
 * Reads everything that a data directory keeps, which no server may hold, and changes nothing, so that it can be run on
 * evidence. Each part's checks come when it was read, for a large one takes its time.
 */
export async function* checkStopped(
  data: string,
  parts: { readonly clock: Clock; readonly random: Random },
): AsyncGenerator<readonly Check[]> {
  yield await checkJournal(data, parts);
  yield await checkHistory(data);
  const kept = await openStateOf(data);
  if ('level' in kept) yield [kept];
  else {
    await using state = kept;
    yield checkState(state);
    if (state.documents) {
      yield [await checkTree(data, state.documents)];
      yield await checkObjects(data, state.documents, parts);
    } else if (state.files.length > 0) {
      const finding = 'proofs and objects were not read: what they must be stands in the control state';
      yield [{ level: 'warn', name: 'state', finding, advice: 'ask again once the control state is whole' }];
    }
  }
  yield await checkLake(data);
  yield [notChecked];
}
