import { AwsFault } from '../../kernel/index.ts';

/**
 * The times of a request that are given, epoch milliseconds, inclusive. Throws a fault of the operation's own code for what is no
 * time, or no range.
 */
export function timeRangeOf(
  { StartTime, EndTime }: { readonly StartTime?: Date | undefined; readonly EndTime?: Date | undefined },
  code: string,
): { readonly from?: number; readonly to?: number } {
  const from = timeOf('StartTime', StartTime, code);
  const to = timeOf('EndTime', EndTime, code);
  if (from !== undefined && to !== undefined && from > to) {
    throw new AwsFault(code, 'The StartTime is after the EndTime.');
  }
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

function timeOf(name: string, value: Date | undefined, code: string): number | undefined {
  const time = value?.getTime();
  if (time !== undefined && !Number.isFinite(time)) throw new AwsFault(code, `The ${name} is not a time.`);
  return time;
}
