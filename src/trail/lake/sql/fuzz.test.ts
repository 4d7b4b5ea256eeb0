import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { openCaseEngine } from './case-engine.ts';
import type { CaseEngine } from './case-engine.ts';
import { expressionCases } from './cases/expressions.ts';
import { functionCases } from './cases/functions.ts';
import { eventsId } from './cases/data.ts';
import { lakeCases } from './cases/lake.ts';
import { queryCases } from './cases/queries.ts';
import { refusedCases } from './cases/refused.ts';
import { randomQuery } from './random-query.ts';
import { readTokens } from './parse/lexer.ts';

let engine: CaseEngine;
beforeAll(async () => {
  engine = await openCaseEngine();
});
afterAll(() => engine.connection.closeSync());

const statements = [...expressionCases, ...functionCases, ...queryCases, ...lakeCases].flatMap(({ cases }) =>
  cases.map(({ sql }) => sql),
);
const words = [...new Set([...statements, ...refusedCases.map(([sql]) => sql)].flatMap(pieces))];

/** The tokens of a statement as they are written; none if it has no tokens of Trino. */
function pieces(sql: string): string[] {
  try {
    return readTokens(sql)
      .filter(({ kind }) => kind !== 'end')
      .map(({ at, end }) => sql.slice(at, end));
  } catch {
    return [];
  }
}

/** Failures of the engine that a statement earns while it runs; any other would be a fault of the translation. */
const earned = /^(?:Invalid Input|Conversion|Out of Range|Constraint) Error/;

async function checkTranslation(sql: string): Promise<void> {
  const translation = engine.translate(sql);
  if (translation.kind === 'refused') {
    expect(translation.message).not.toBe('');
    expect(translation.line).toBeGreaterThan(0);
    return;
  }
  try {
    const prepared = await engine.connection.prepare(translation.sql);
    prepared.destroySync();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (!earned.test(message)) throw new Error(`${message}\n${sql}\n${translation.sql}`, { cause: error });
  }
}

/** The seed of a failure is in its report; CAIRN_FUZZ_RUNS makes the search longer. */
const runs = Number(process.env['CAIRN_FUZZ_RUNS'] ?? 300);

describe('whatever is accepted, the engine takes', () => {
  it('tokens in any order', async () => {
    const sequence = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(sequence, fc.boolean(), (tokens, select) =>
        checkTranslation(`${select ? 'SELECT ' : ''}${tokens.join(' ')}`),
      ),
      { numRuns: runs },
    );
  });

  it('characters in any order', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(text, (tail) => checkTranslation(`SELECT ${tail}`)),
      { numRuns: runs },
    );
  });

  it('queries with tokens taken out, put in and changed', async () => {
    const edit = fc.record({
      at: fc.nat(200),
      remove: fc.nat(2),
      insert: fc.array(fc.constantFrom(...words), { maxLength: 2 }),
    });
    const edits = fc.array(edit, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...statements), edits, (sql, changes) => {
        const tokens = pieces(sql);
        for (const { at, remove, insert } of changes)
          tokens.splice(at % (tokens.length + 1), remove, ...insert);
        return checkTranslation(tokens.join(' '));
      }),
      { numRuns: runs * 3 },
    );
  });

  it('queries made of expressions of every type, and runs them', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (generate) => {
        const sql = randomQuery((most) => generate(fc.nat, most - 1), eventsId);
        const translation = engine.translate(sql);
        if (translation.kind === 'refused') return;
        accepted += 1;
        try {
          await engine.connection.runAndReadAll(translation.sql);
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          if (!earned.test(message))
            throw new Error(`${message}\n${sql}\n${translation.sql}`, { cause: error });
        }
      }),
      { numRuns: runs },
    );
    expect(accepted).toBeGreaterThan(runs / 2);
  });
});
