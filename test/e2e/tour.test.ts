import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from './cairn-process.ts';
import { startServer, type TestServer } from './harness.ts';

/**
 * Runs the README's tour as a reader pastes it: every `sh tour` block, in one shell, in order. The `text` block behind it
 * says what must be seen, line by line and in order; `…` stands for anything.
 */
interface Step {
  readonly commands: string;
  readonly expected: readonly string[];
}

function readTour(): readonly Step[] {
  const readme = readFileSync('README.md', 'utf8');
  const blocks = readme.matchAll(/^```sh tour\n(.*?)^```\n\n```text\n(.*?)^```$/gms);
  return [...blocks].map(([, commands = '', expected = '']) => ({
    commands,
    expected: expected.split('\n').filter((line) => line !== ''),
  }));
}

/** The line as a pattern: blanks of any number, `…` for anything. */
function patternOf(line: string): RegExp {
  const parts = line.trim().split('…');
  const patterns = parts.map((part) =>
    part
      .split(/\s+/)
      .map((word) => word.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`))
      .join(String.raw`\s+`),
  );
  return new RegExp(`^\\s*${patterns.join('.*')}\\s*$`);
}

/** The expected lines that do not appear in the output, in their order. */
function missingLines(output: string, expected: readonly string[]): readonly string[] {
  const lines = output.split('\n');
  let from = 0;
  return expected.filter((line) => {
    const pattern = patternOf(line);
    const at = lines.findIndex((candidate, index) => index >= from && pattern.test(candidate));
    if (at >= 0) from = at + 1;
    return at < 0;
  });
}

/** The aws CLIs of this machine, each once: Debian's, and the first on the PATH. */
function findAwsClis(): readonly string[] {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'aws'));
  const present = ['/usr/bin/aws', ...onPath].filter((file) => existsSync(file));
  return [...new Set(present.map((file) => realpathSync(file)))].filter((file) => worksAsAws(file));
}

function worksAsAws(file: string): boolean {
  try {
    return execFileSync(file, ['--version'], { encoding: 'utf8', stdio: 'pipe' }).startsWith('aws-cli/');
  } catch {
    return false;
  }
}

const separator = '@@ next step @@';

/** Runs the steps in one shell and returns what each of them wrote. */
async function runSteps(steps: readonly Step[], env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const script = steps.map(({ commands }) => `${commands}\necho '${separator}'\n`).join('');
  const shell = spawn('/bin/sh', ['-c', `exec 2>&1\n${script}`], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const output = await text(shell.stdout);
  return output.split(`${separator}\n`);
}

const tour = readTour();
const clis = findAwsClis();

describe('the tour of the README', () => {
  it('has what every block of commands must show', () => {
    const readme = readFileSync('README.md', 'utf8');
    expect(tour.length).toBeGreaterThan(5);
    expect(tour).toHaveLength([...readme.matchAll(/^```sh tour$/gm)].length);
  });
});

describe.skipIf(clis.length === 0)('the tour of the README (skipped where there is no aws CLI)', () => {
  describe.each(clis)('with %s', (cli) => {
    let server: TestServer;
    let shown: readonly string[];
    const folder = mkdtempSync(join(tmpdir(), 'cairn-tour-'));
    beforeAll(async () => {
      // As the section on responses has it started, but that others may have its port.
      const port = String(await freePort());
      server = await startServer({ env: { CAIRN_HTTP_TARGETS: `127.0.0.1:${port}` } });
      mkdirSync(join(folder, 'bin'));
      symlinkSync(cli, join(folder, 'bin', 'aws'));
      const inherited = Object.entries(server.env).filter(([name]) => !name.startsWith('AWS_'));
      const steps = tour.map((step) => ({ ...step, commands: step.commands.replaceAll('4848', port) }));
      shown = await runSteps(steps, {
        ...Object.fromEntries(inherited),
        PATH: [join(folder, 'bin'), process.env['PATH']].join(delimiter),
        // What stands in for `npm start` in the other terminal.
        CAIRN_DATA: server.data,
        AWS_PAGER: '',
        TMPDIR: folder,
      });
    }, 480_000);
    afterAll(async () => {
      rmSync(folder, { recursive: true });
      await server[Symbol.asyncDispose]();
    });

    it.each(tour.map((step, index) => [step.commands.trim().split('\n').at(-1), index] as const))(
      '%s',
      (_, index) => {
        const output = shown[index] ?? '';
        expect(missingLines(output, tour[index]?.expected ?? []), output).toEqual([]);
      },
    );
  });
});
