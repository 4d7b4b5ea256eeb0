import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openOutput, paint, wantsColour } from './output.ts';

describe('output', () => {
  it('keeps results and notes apart', async () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const output = openOutput(stdout, stderr, {});
    await output.result('row\n');
    output.note('hint');
    expect(String(stdout.read())).toBe('row\n');
    expect(String(stderr.read())).toBe('hint\n');
    expect(output.resultWidth()).toBeUndefined();
  });

  it('takes a reader that has gone for the end, not for a failure', async () => {
    const gone = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const stderr = new PassThrough();
    const output = openOutput(gone, stderr, {});
    await expect(output.result('row\n')).rejects.toThrow('EPIPE');
    if (!output.closed.aborted) await once(output.closed, 'abort');
    await expect(output.result('row\n')).rejects.toThrow('EPIPE');
    expect(stderr.read()).toBeNull();
  });

  it('says what else went wrong with the results', async () => {
    const full = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
      },
    });
    const stderr = new PassThrough();
    const output = openOutput(full, stderr, {});
    await expect(output.result('row\n')).rejects.toThrow('no space left');
    if (!output.closed.aborted) await once(output.closed, 'abort');
    expect(String(stderr.read())).toContain('cannot write the results: no space left');
  });

  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ TERM: 'dumb' }, true, false],
  ])('with %j and a terminal: %s, colours are %s', (env, isTTY, colours) => {
    expect(wantsColour(env, { isTTY })).toBe(colours);
  });

  it('shows a terminal no control above ASCII, also one that is cut in two, and keeps the JSON the same', async () => {
    const record = '{"userAgent":"\u009b31mZo\u00eb\u007f"}\n';
    const bytes = Buffer.from(record);
    const terminal = Object.assign(new PassThrough(), { isTTY: true });
    const output = openOutput(terminal, new PassThrough(), {});
    for (const part of [bytes.subarray(0, 15), bytes.subarray(15)]) await output.result(part);
    const shown = String(terminal.read());
    expect(shown).toBe('{"userAgent":"\\u009b31mZo\u00eb\\u007f"}\n');
    expect(JSON.parse(shown)).toEqual(JSON.parse(record));
    const file = new PassThrough();
    await openOutput(file, new PassThrough(), {}).result(bytes);
    expect(file.read()).toEqual(bytes);
  });

  it('paints only when it is on', () => {
    expect(paint('x', 'red', false)).toBe('x');
    expect(paint('x', 'red', true)).toBe('\u001b[31mx\u001b[0m');
  });
});
