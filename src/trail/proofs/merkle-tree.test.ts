import { mkdtempSync, rmSync } from 'node:fs';
import { hash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../kernel/index.ts';
import {
  emptyRoot,
  hashLeaves,
  isConsistent,
  leafHash,
  nodeHash,
  rootOfInclusion,
  rootOver,
} from './merkle-tree.ts';
import { referenceConsistency, referenceInclusion, referenceLeaf, referenceRoot } from './reference-tree.ts';
import { openTileProofs, type ReadTile } from './tile-proofs.ts';
import { openTreeBuilder } from './tree-builder.ts';
import { openTreeFiles } from './tree-files.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const unhex = (text: string) => Buffer.from(text, 'hex');
const entryOf = (index: number) => hash('sha256', `entry ${index}`, 'buffer');

/** Leaves and roots as transparency-dev/merkle has them (testonly/constants.go), after the vectors of the CT project. */
const knownLeaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const knownRoots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('the Merkle tree', () => {
  it('has the roots that other implementations have', () => {
    const leaves = knownLeaves.map((leaf) => leafHash(unhex(leaf)));
    expect(hex(emptyRoot())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    knownRoots.forEach((root, index) => {
      expect(hex(rootOver(Buffer.concat(leaves), index + 1))).toBe(root);
      expect(referenceRoot(leaves.slice(0, index + 1).map(hex))).toBe(root);
    });
  });

  it('takes the consistency proof that other implementations give, and no other', () => {
    const proof = [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ].map(unhex);
    const head = (size: number) => ({ size, root: unhex(knownRoots[size - 1] ?? '') });
    expect(isConsistent(head(6), head(8), proof)).toBe(true);
    expect(isConsistent({ ...head(6), root: head(5).root }, head(8), proof)).toBe(false);
    expect(isConsistent(head(6), head(8), proof.slice(1))).toBe(false);
    expect(isConsistent(head(8), head(6), proof)).toBe(false);
    expect(isConsistent({ size: 0, root: emptyRoot() }, head(8), [])).toBe(true);
    expect(isConsistent({ size: 0, root: unhex(knownRoots[0] ?? '') }, head(8), [])).toBe(false);
  });

  it('hashes leaves in bulk as one by one', () => {
    const entries = Buffer.concat([entryOf(1), entryOf(2), entryOf(3)]);
    const leaves = Buffer.alloc(96);
    hashLeaves(entries, 3, leaves);
    expect(hex(leaves)).toBe([1, 2, 3].map((index) => hex(leafHash(entryOf(index)))).join(''));
    expect(hex(leafHash(entryOf(1)))).toBe(referenceLeaf(hex(entryOf(1))));
  });
});

const directory = mkdtempSync(join(tmpdir(), 'cairn-tree-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('proofs from tiles, of small trees', () => {
  const most = 300;
  const leaves = Array.from({ length: most }, (_, index) => referenceLeaf(hex(entryOf(index))));
  const roots = Array.from({ length: most + 1 }, (_, size) => unhex(referenceRoot(leaves.slice(0, size))));
  const readTile: ReadTile = (level, index, width) => {
    if (level === 0) return Promise.resolve(unhex(leaves.slice(index * 256, index * 256 + width).join('')));
    expect([level, index, width]).toEqual([1, 0, 1]);
    return Promise.resolve(unhex(referenceRoot(leaves.slice(0, 256))));
  };

  it('are those of RFC 6962, for every leaf of every size', async () => {
    for (const size of [
      ...Array.from({ length: 70 }, (_, at) => at + 1),
      127,
      128,
      129,
      255,
      256,
      257,
      most,
    ]) {
      const proofs = openTileProofs(readTile, size);
      expect(hex(await proofs.root(size))).toBe(hex(roots[size] ?? emptyRoot()));
      for (let index = 0; index < size; index += 1) {
        const proof = await proofs.inclusion(index);
        if (size <= 70) expect(proof.map(hex)).toEqual(referenceInclusion(index, leaves.slice(0, size)));
        const root = rootOfInclusion(index, size, unhex(leaves[index] ?? ''), proof);
        expect(root && hex(root)).toBe(hex(roots[size] ?? emptyRoot()));
      }
    }
  });

  it('show consistency between every two sizes', async () => {
    for (const newer of [...Array.from({ length: 70 }, (_, at) => at + 1), 255, 256, 257, most]) {
      const proofs = openTileProofs(readTile, newer);
      for (let older = 0; older <= newer; older += 1) {
        const proof = await proofs.consistency(older);
        if (newer <= 70) expect(proof.map(hex)).toEqual(referenceConsistency(older, leaves.slice(0, newer)));
        const head = (size: number) => ({ size, root: roots[size] ?? emptyRoot() });
        expect(isConsistent(head(older), head(newer), proof), `${older} to ${newer}`).toBe(true);
      }
    }
  });

  it('fail when any part is another', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: most }), fc.nat(), fc.nat(), async (size, place, flip) => {
        const proofs = openTileProofs(readTile, size);
        const index = place % size;
        const proof = [...(await proofs.inclusion(index))];
        const wrong = (hashed: Uint8Array) => {
          const changed = Buffer.from(hashed);
          changed[flip % 32] = (changed[flip % 32] ?? 0) ^ (1 << (flip % 8));
          return changed;
        };
        const root = roots[size] ?? emptyRoot();
        const leadsTo = (at: number, leaf: string, path: readonly Uint8Array[], of = size) => {
          const found = rootOfInclusion(at, of, unhex(leaf), path);
          return found !== undefined && hex(found) === hex(root);
        };
        const leaf = leaves[index] ?? '';
        const at = flip % proof.length;
        expect(leadsTo(index, leaf, proof)).toBe(true);
        expect(leadsTo(index, hex(wrong(unhex(leaf))), proof)).toBe(false);
        expect(leadsTo(index, leaf, proof.with(at, wrong(proof[at] ?? emptyRoot())))).toBe(false);
        expect(leadsTo(index, leaf, proof.slice(1))).toBe(false);
        expect(leadsTo(index, leaf, [...proof, root])).toBe(false);
        expect(leadsTo((index + 1 + (flip % (size - 1))) % size, leaf, proof)).toBe(false);

        const older = 1 + (place % (size - 1));
        const consistency = [...(await proofs.consistency(older))];
        const heads = [
          { size: older, root: roots[older] ?? emptyRoot() },
          { size, root },
        ] as const;
        const part = flip % consistency.length;
        expect(isConsistent(...heads, consistency)).toBe(true);
        expect(isConsistent(...heads, consistency.with(part, wrong(consistency[part] ?? root)))).toBe(false);
        expect(isConsistent({ ...heads[0], root: wrong(heads[0].root) }, heads[1], consistency)).toBe(false);
        expect(isConsistent(heads[0], { ...heads[1], root: wrong(root) }, consistency)).toBe(false);
        expect(isConsistent(...heads, consistency.slice(1))).toBe(false);
        expect(isConsistent(...heads, [...consistency, root])).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

/** Roots of chosen sizes, by adding leaf after leaf to the full subtrees so far: a way of its own to the same numbers. */
function rootsAt(sizes: readonly number[]): Map<number, string> {
  const found = new Map<number, string>();
  const stack: { readonly height: number; readonly hash: Buffer }[] = [];
  for (let size = 1; size <= Math.max(...sizes); size += 1) {
    let node = { height: 0, hash: leafHash(entryOf(size - 1)) };
    while (stack.at(-1)?.height === node.height) {
      const left = stack.pop();
      if (left) node = { height: node.height + 1, hash: nodeHash(left.hash, node.hash) };
    }
    stack.push(node);
    if (!sizes.includes(size)) continue;
    const folded = stack.map(({ hash: full }) => full).reduceRight((right, left) => nodeHash(left, right));
    found.set(size, hex(folded));
  }
  return found;
}

describe('proofs from the files of a large tree', () => {
  const leaves = 70_000;
  const seed = process.pid;
  const random = seededRandom(seed);
  const sizes = [
    1,
    255,
    256,
    257,
    65_535,
    65_536,
    65_537,
    leaves,
    ...Array.from({ length: 12 }, () => 1 + random.below(leaves)),
  ];
  const roots = rootsAt(sizes);
  beforeAll(() => {
    using builder = openTreeBuilder(directory, 0);
    for (let at = 0; at < leaves;) {
      const count = Math.min(leaves - at, 1 + random.below(5_000));
      builder.append(Buffer.concat(Array.from({ length: count }, (_, index) => entryOf(at + index))));
      at += count;
    }
    builder.sync();
    expect(hex(builder.root())).toBe(roots.get(leaves));
  });

  it(`lead to the roots of every size (seed ${seed})`, async () => {
    await using files = openTreeFiles(directory);
    for (const size of sizes) {
      const proofs = openTileProofs(files.readTile, size);
      expect(hex(await proofs.root(size))).toBe(roots.get(size));
      for (const index of [0, size - 1, ...Array.from({ length: 20 }, () => random.below(size))]) {
        const root = rootOfInclusion(index, size, leafHash(entryOf(index)), await proofs.inclusion(index));
        expect(root && hex(root)).toBe(roots.get(size));
      }
      for (const older of sizes.filter((other) => other <= size)) {
        const head = (of: number) => ({ size: of, root: unhex(roots.get(of) ?? '') });
        expect(isConsistent(head(older), head(size), await proofs.consistency(older))).toBe(true);
      }
    }
  });

  it('are found again at any size that it is opened at', () => {
    // From large to small, as opening cuts off what lies beyond.
    for (const size of [...new Set(sizes)].toSorted((one, other) => other - one)) {
      using builder = openTreeBuilder(directory, size);
      expect(hex(builder.root())).toBe(roots.get(size));
    }
  });
});

describe('proofs of trees as large as numbers go', () => {
  // All leaves are the same one, so each full subtree of one height has one hash, and tiles need no storage.
  const full = [leafHash(entryOf(0))];
  for (let height = 0; height < 53; height += 1) {
    const below = full[height] ?? emptyRoot();
    full.push(nodeHash(below, below));
  }
  const readTile: ReadTile = (level, _index, width) =>
    Promise.resolve(Buffer.concat(Array.from({ length: width }, () => full[level * 8] ?? emptyRoot())));
  const rootOf = (size: number): Buffer => {
    const heights = Array.from({ length: 53 }, (_, height) => height).filter(
      (height) => Math.floor(size / 2 ** height) % 2 === 1,
    );
    const [smallest = 0, ...larger] = heights;
    return larger.reduce(
      (right, height) => nodeHash(full[height] ?? right, right),
      full[smallest] ?? emptyRoot(),
    );
  };

  it('hold', async () => {
    const size = fc.oneof(
      fc.integer({ min: 1, max: 5_000_000 }),
      fc.maxSafeInteger().map((value) => 1 + (Math.abs(value) % 2 ** 52)),
      fc
        .integer({ min: 1, max: 51 })
        .chain((power) => fc.constantFrom(2 ** power - 1, 2 ** power, 2 ** power + 1)),
    );
    await fc.assert(
      fc.asyncProperty(size, size, fc.nat(), async (one, other, place) => {
        const [older, newer] = [Math.min(one, other), Math.max(one, other)];
        const proofs = openTileProofs(readTile, newer);
        const [oldHead, newHead] = [
          { size: older, root: rootOf(older) },
          { size: newer, root: rootOf(newer) },
        ];
        expect(hex(await proofs.root(newer))).toBe(hex(newHead.root));
        expect(isConsistent(oldHead, newHead, await proofs.consistency(older))).toBe(true);
        const index = older - 1 - (place % older);
        const root = rootOfInclusion(index, newer, full[0] ?? emptyRoot(), await proofs.inclusion(index));
        expect(root && hex(root)).toBe(hex(newHead.root));
      }),
      { numRuns: 60 },
    );
  });
});
