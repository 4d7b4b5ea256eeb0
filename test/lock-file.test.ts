import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface LockedPackage {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};

/** Whether a package that `from` asks for stands in the lock file, where Node would look for it. */
function isLocked(from: string, name: string): boolean {
  const folders = from === '' ? [] : from.split('/node_modules/');
  return [...folders.keys(), folders.length].some((depth) => {
    const folder = folders.slice(0, depth).join('/node_modules/');
    return `${folder === '' ? '' : `${folder}/`}node_modules/${name}` in packages;
  });
}

describe('package-lock.json', () => {
  it('holds the packages of other platforms too, without which `npm ci` refuses it', () => {
    // npm leaves out of the lock file what its registry does not hand out at the moment.
    const missing = Object.entries(packages).flatMap(([from, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !isLocked(from, name))
        .map((name) => `${name}, which ${from} asks for`),
    );
    expect(missing).toEqual([]);
  });
});
