import { describe, expect, it } from 'vitest';
import { columns, eventsId, withheld } from './cases/data.ts';
import { refusedCases } from './cases/refused.ts';
import { translate } from './index.ts';

describe('what is not supported is refused, with its name and place', () => {
  it.each(refusedCases)('%s', (sql, message, column) => {
    const find = (id: string) => ([eventsId, 't'].includes(id) ? { view: 'events', columns, withheld } : undefined);
    const translation = translate(sql, find);
    expect(translation).toMatchObject({ kind: 'refused', message: expect.stringContaining(message) });
    if (column !== undefined) expect(translation).toMatchObject({ column });
  });
});
