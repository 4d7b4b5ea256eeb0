import type { Change } from '../../../state/index.ts';
import { AwsFault } from '../../../kernel/index.ts';
import type { Stream } from '../../../journal/index.ts';
import type { Call, Given, Need, Operations } from '../../../wire/index.ts';
import { placeOf, tokenFor } from '../../api/lookup-token.ts';
import type { ImportRunner } from '../imports/import-runner.ts';
import type { LakeParts } from '../lake-parts.ts';
import type { QueryRunner } from '../query-runner.ts';
import type { ResultFiles } from '../result-pages.ts';

export { nothing, type Given, type Nothing } from '../../../wire/index.ts';

/** What the operations of the lake work with, beside the call and the change. */
export interface LakeOperationParts extends LakeParts {
  readonly stream: Pick<Stream, 'end'>;
  readonly queries: QueryRunner;
  readonly imports: ImportRunner;
  readonly results: ResultFiles;
}

/** One operation, as a file in `api/` declares it under the operation's own name. */
export interface LakeOperation<Input, Output> {
  readonly access: 'read' | 'write';
  needs(
    input: Given<Input>,
    call: Call,
    parts: LakeOperationParts,
  ): readonly Need[] | Promise<readonly Need[]>;
  handle(input: Given<Input>, call: Call, change: Change, parts: LakeOperationParts): Promise<Output>;
}

/** Supplies operations with their parts. The names of the members are the operations' names. */
export function bindOperations(
  parts: LakeOperationParts,
  operations: Readonly<Record<string, LakeOperation<never, unknown>>>,
): Operations<Change> {
  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [
      name,
      {
        access: operation.access,
        needs: (input, call) => operation.needs(input as never, call, parts),
        handle: (input, call, change) => operation.handle(input as never, call, change, parts),
      } satisfies Operations<Change>[string],
    ]),
  );
}

/**
 * A page of a list in its fixed order. `scope` says of what request the token is; throws InvalidNextTokenException for
 * the token of another.
 */
export function pageOf<T>(
  items: readonly T[],
  scope: readonly unknown[],
  {
    NextToken,
    MaxResults = 1000,
  }: { readonly NextToken?: string | undefined; readonly MaxResults?: number | undefined },
): { readonly items: readonly T[]; readonly NextToken?: string } {
  const canonical = JSON.stringify(scope);
  const from = NextToken === undefined ? 0 : Number(placeOf(canonical, NextToken));
  const page = items.slice(from, from + MaxResults);
  const next = from + page.length;
  return { items: page, ...(next < items.length && { NextToken: tokenFor(canonical, String(next)) }) };
}

export function invalidParameter(message: string): AwsFault {
  return new AwsFault('InvalidParameterException', message);
}

export function unsupported(message: string): AwsFault {
  return new AwsFault('UnsupportedOperationException', message);
}
