import { describe, expect, it } from 'vitest';
import { withStore } from './query.ts';

const id = '9f609c2e-5d47-4ab9-8e0f-b2621f2219f5';

describe('--event-data-store', () => {
  it.each([
    ['SELECT 1 FROM events', `SELECT 1 FROM ${id}`],
    ['select 1 from\n Events e join events f', `select 1 from\n ${id} e join ${id} f`],
    ['SELECT \'FROM events\', "from events" FROM events', `SELECT 'FROM events', "from events" FROM ${id}`],
    ['SELECT events FROM other', 'SELECT events FROM other'],
    ['SELECT 1 FROM events_2', 'SELECT 1 FROM events_2'],
  ])('stands for the table events: %s', (statement, expected) => {
    expect(withStore(statement, id)).toBe(expected);
    expect(withStore(statement, `arn:aws:cloudtrail:us-east-1:000000000000:eventdatastore/${id}`)).toBe(
      expected,
    );
    expect(withStore(statement, undefined)).toBe(statement);
  });

  it('takes an id or an ARN alone', () => {
    expect(() => withStore('SELECT 1', 'x; DROP')).toThrow('id or ARN');
  });
});
