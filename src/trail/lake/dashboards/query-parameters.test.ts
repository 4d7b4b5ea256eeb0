import { describe, expect, it } from 'vitest';
import { fillStatement, fillWidget, valuesFor } from './query-parameters.ts';

const now = Date.parse('2026-11-22T10:00:00Z');

describe('the parameters of a query', () => {
  it('are the past 24 hours and an hour, unless they are given', () => {
    expect(valuesFor(undefined, now)).toEqual({
      $StartTime$: '2026-11-21T10:00:00.000Z',
      $EndTime$: '2026-11-22T10:00:00.000Z',
      $Period$: 'hour',
    });
    expect(valuesFor({ $EndTime$: '2026-11-02' }, now)).toMatchObject({
      $StartTime$: '2026-11-01T00:00:00.000Z',
      $EndTime$: '2026-11-02',
    });
    // The example of "Manually refresh a dashboard with the AWS CLI".
    expect(valuesFor({ $StartTime$: '2024-11-05T10:45:24.00Z', $Period$: 'DAY' }, now)).toMatchObject({
      $StartTime$: '2024-11-05T10:45:24.00Z',
      $Period$: 'DAY',
    });
  });

  it.each([
    [{ $EventDataStoreId$: 'x' }],
    [{ $StartTime$: "2024-01-01' OR '1'='1" }],
    [{ $StartTime$: '--' }],
    [{ $StartTime$: '2024-02-30' }],
    [{ $StartTime$: 'yesterday' }],
    [{ $EndTime$: '2024-01-01T25:00' }],
    [{ $Period$: 'fortnight' }],
    [{ $StartTime$: '2026-11-23', $EndTime$: '2026-11-22' }],
  ])('cannot be %j', (given) => {
    expect(() => valuesFor(given as unknown as Record<string, string>, now)).toThrow(
      expect.objectContaining({ code: 'InvalidParameterException' }),
    );
  });

  it('stand for the question marks in their order', () => {
    const statement = "SELECT date_trunc('?', eventTime) FROM s WHERE eventTime > '?'";
    expect(
      fillWidget({ statement, parameters: ['$Period$', '$StartTime$'] }, valuesFor(undefined, now)),
    ).toEqual({
      kind: 'filled',
      statement: "SELECT date_trunc('hour', eventTime) FROM s WHERE eventTime > '2026-11-21T10:00:00.000Z'",
    });
    expect(fillWidget({ statement: "SELECT '?'" }, valuesFor(undefined, now))).toMatchObject({
      statement: "SELECT '?'",
    });
    expect(fillStatement("SELECT '?'", ['a', 'b'])).toMatchObject({ kind: 'refused' });
    expect(fillStatement('SELECT 1', ['a'])).toMatchObject({ kind: 'refused' });
  });
});
