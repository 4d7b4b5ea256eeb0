import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, matchesGlob, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * Rules of the code base that neither the compiler nor the linter knows: the direction of imports between folders,
 * calls that only the kernel may make, the length of files, and links in the documentation.
 */

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(file));
const sources = files.filter((file) => /^(src|test|bench)\/.*\.ts$/.test(file));
const texts = new Map(sources.map((file) => [file, readFileSync(file, 'utf8')]));

/** What each folder of `src` may import from; `server.ts` and `cli` may import everything. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  store: ['kernel'],
  journal: ['store', 'kernel'],
  state: ['journal', 'store', 'kernel'],
  wire: ['kernel'],
  identity: ['state', 'wire', 'kernel'],
  monitor: ['wire', 'kernel'],
  estate: ['journal', 'store', 'state', 'wire', 'identity', 'kernel'],
  trail: ['journal', 'store', 'state', 'wire', 'identity', 'kernel'],
  bus: ['journal', 'store', 'state', 'wire', 'identity', 'kernel'],
};

/** Folders inside a folder that have a face of their own, which others may import. */
const innerFaces = [
  'store/memory',
  'store/embedded',
  'estate/kms',
  'estate/s3',
  'identity/policy',
  'trail/delivery',
  'trail/digests',
  'trail/history',
  'trail/insights',
  'trail/lake',
  'trail/lake/sql',
  'trail/proofs',
];

function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => match[1] ?? '');
}

function isTest(file: string): boolean {
  return /\.test\.ts$|-contract\.ts$|^test\/|^bench\//.test(file);
}

function folderOf(file: string): string | undefined {
  return /^src\/([^/]+)\//.exec(file)?.[1];
}

function importProblems(file: string, text: string): string[] {
  const from = folderOf(file);
  const problems: string[] = [];
  for (const specifier of importsOf(text)) {
    const target = normalize(join(dirname(file), specifier));
    const to = folderOf(target);
    if (to === undefined || to === from || isTest(file)) continue;
    const allowed = from === undefined || from === 'cli' ? undefined : arrows[from];
    if (allowed && !allowed.includes(to))
      problems.push(`${file} imports ${target}: ${from} may not import ${to}`);
    const faces = [`src/${to}/index.ts`, ...innerFaces.map((face) => `src/${face}/index.ts`)];
    if (!faces.includes(target))
      problems.push(`${file} imports ${target}: only a folder's index.ts is imported from outside`);
    const namesAdapter = /^src\/store\/(memory|embedded)\//.test(target);
    if (namesAdapter && file !== 'src/server.ts' && from !== 'cli') {
      problems.push(`${file} names the adapter ${target}: only server.ts does`);
    }
  }
  return problems;
}

const banned: readonly { readonly call: RegExp; readonly why: string }[] = [
  { call: /\bDate\.now\s*\(/, why: 'take a Clock' },
  { call: /\bnew Date\(\s*\)/, why: 'take a Clock' },
  { call: /\bMath\.random\s*\(/, why: 'take a Random' },
  { call: /(?<![.\w])set(?:Timeout|Interval)\s*\(/, why: 'take a Clock' },
  { call: /\brandomUUID\s*\(/, why: 'take a Random' },
  { call: /\.terminate\(\)/, why: 'end it with endThread, which says why' },
  { call: /^(?:import \{.*)?\} from 'node:http'/, why: 'take http from the kernel, which says why' },
];

describe('tidy', () => {
  it('imports follow the arrows of ARCHITECTURE.md', () => {
    const problems = [...texts].flatMap(([file, text]) => importProblems(file, text));
    expect(problems).toEqual([]);
  });

  it('every folder of src has its place in the arrows', () => {
    const folders = new Set(sources.flatMap((file) => folderOf(file) ?? []));
    folders.delete('cli');
    expect([...folders].filter((folder) => !(folder in arrows))).toEqual([]);
  });

  it('time, randomness and the end of a thread come from the kernel', () => {
    const problems: string[] = [];
    for (const [file, text] of texts) {
      if (file.startsWith('src/kernel/') || isTest(file)) continue;
      for (const { call, why } of banned) {
        text.split('\n').forEach((line, index) => {
          if (call.test(line.replace(/^\s*(\*|\/\/|\/\*).*$/, '')))
            problems.push(`${file}:${index + 1}: ${line.trim()} (${why})`);
        });
      }
    }
    expect(problems).toEqual([]);
  });

  it('no file is longer than 500 lines', () => {
    const long = [...texts].filter(
      ([file, text]) => !/\/cases\//.test(file) && text.split('\n').length > 501,
    );
    expect(long.map(([file, text]) => `${file}: ${text.split('\n').length - 1} lines`)).toEqual([]);
  });

  it('links in the documentation lead somewhere', () => {
    const problems: string[] = [];
    for (const file of files.filter((name) => name.endsWith('.md'))) {
      for (const match of readFileSync(file, 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
        const link = match[1] ?? '';
        if (/^[a-z]+:/.test(link)) continue;
        if (!existsSync(join(dirname(file), link))) problems.push(`${file}: ${link}`);
      }
    }
    expect(problems).toEqual([]);
  });

  it('the example of CONTRIBUTING.md is the code as it stands', () => {
    const [, example = ''] =
      /^ +```ts account\.ts\n(.*?)^ +```$/ms.exec(readFileSync('CONTRIBUTING.md', 'utf8')) ?? [];
    const [imports = '', operation = ''] = example.replaceAll(/^ {3}/gm, '').split('\n\nexport ');
    const code = texts.get('src/identity/api/account.ts') ?? '';
    expect(code).toContain(`export ${operation.trim()}\n`);
    for (const line of imports.split('\n')) {
      const [, names = '', from = ''] = /\{(.*)\} from (.*)/.exec(line) ?? [];
      const [, found = ''] = new RegExp(`import (?:type )?\\{([^}]*)\\} from ${from}`).exec(code) ?? [];
      for (const name of names.split(',')) expect(found).toContain(name.trim());
    }
  });

  it('nothing names a place outside the project', () => {
    // Written so that this file does not find itself.
    const outside = /\/wor[k]\/|\.librar[y]|\/roo[t]\//;
    const problems = files
      .filter(
        (file) =>
          /\.(ts|js|md|json|ya?ml|service)$|Dockerfile|\.ci\/run$/.test(file) && file !== 'package-lock.json',
      )
      .filter((file) => outside.test(readFileSync(file, 'utf8')));
    expect(problems).toEqual([]);
  });

  it('the Dockerfile copies nothing that .dockerignore keeps out', () => {
    // As Docker reads it ("dockerignore file"): the last line that matches a file or a folder above it decides.
    const rules = readFileSync('.dockerignore', 'utf8').trim().split('\n');
    const comesIn = (file: string) =>
      rules.reduce((isIn, rule) => {
        const matches = (path: string) => matchesGlob(path, rule.replace(/^!/, ''));
        const paths = file.split('/').map((_, index, names) => names.slice(0, index + 1).join('/'));
        return paths.some(matches) ? rule.startsWith('!') : isIn;
      }, true);
    const copies = readFileSync('Dockerfile', 'utf8').matchAll(/^COPY (.*) \S+$/gm);
    const copied = [...copies].flatMap(([, from = '']) => from.split(' '));
    expect(copied).toContain('src');
    expect(copied.filter((source) => !comesIn(source))).toEqual([]);
    expect(['node_modules/x.js', 'src/server.test.ts'].filter(comesIn)).toEqual([]);
  });
});
