import { neutralise } from '../terminal/text.ts';
import { paint } from '../terminal/output.ts';

/** What a check found. */
export interface Check {
  readonly level: 'ok' | 'warn' | 'fail';
  /** What was looked at. */
  readonly name: string;
  readonly finding: string;
  /** What to do about it; for everything that is not ok. */
  readonly advice?: string;
}

const colours = { ok: 'green', warn: 'yellow', fail: 'red' } as const;
const nameWidth = 14;

/** A check as a line, and its advice as a second one. */
export function drawCheck(check: Check, colour: boolean): string {
  const level = paint(check.level.padEnd(4), colours[check.level], colour);
  const line = `${level}  ${check.name.padEnd(nameWidth)}  ${neutralise(check.finding)}`;
  return check.advice === undefined
    ? line
    : `${line}\n      ${' '.repeat(nameWidth)}  → ${neutralise(check.advice)}`;
}

/** How the checks ended, in one line. */
export function sumUp(checks: readonly Check[]): string {
  const count = (level: Check['level']) => checks.filter((check) => check.level === level).length;
  return `${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} wrong`;
}
