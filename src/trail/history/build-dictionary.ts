import type { Dictionaries } from './dictionaries.ts';
import { openBlockPacker } from './raw-blocks.ts';

/** zstd level of raw blocks. Higher levels were measured to save a tenth at twice the time. */
export const packLevel = 3;

/** Measured: half of it costs about a tenth in size, twice of it gains little and makes every look-up slower. */
const dictionaryBytes = 110 * 1024;
/** Fewer records than this many bytes make no useful dictionary. */
const leastBytes = 64 * 1024;
/** A new dictionary must be better by this factor, because old ones have to be kept for old segments. */
const worthwhile = 0.9;

/** Records spread evenly over the odd ones of `count`, up to the size of a dictionary. */
function sampleDictionary(recordAt: (index: number) => Buffer, count: number, totalBytes: number): Buffer {
  const wanted = Math.min(dictionaryBytes, totalBytes / 4);
  const records = Math.max(1, Math.floor((wanted * count) / totalBytes));
  const step = Math.max(2, Math.floor(count / records));
  const chosen: Buffer[] = [];
  let size = 0;
  for (let index = 1; index < count && size < dictionaryBytes; index += step) {
    const record = recordAt(index - 1 + (index % 2));
    chosen.push(record.subarray(0, dictionaryBytes - size));
    size += record.length;
  }
  return Buffer.concat(chosen);
}

/** Bytes that a few sample blocks of even records take. */
async function trialBytes(
  samples: readonly (readonly Buffer[])[],
  dictionary: Buffer | undefined,
): Promise<number> {
  await using packer = openBlockPacker(dictionary, packLevel);
  let total = 0;
  for (const sample of samples) total += (await packer.pack(sample)).length;
  return total;
}

/**
 * Chooses the dictionary for new blocks: the current one, or a new one made from these records when that packs
 * them clearly better. Returns its number; 0 for none.
 */
export async function chooseDictionary(
  dictionaries: Dictionaries,
  current: number,
  records: { readonly at: (index: number) => Buffer; readonly count: number; readonly totalBytes: number },
): Promise<number> {
  if (records.totalBytes < leastBytes) return current;
  const candidate = sampleDictionary(records.at, records.count, records.totalBytes);
  if (current === 0) return dictionaries.add(candidate);
  const samples = Array.from({ length: 8 }, (_, sample) => {
    const start = Math.floor((records.count * sample) / 8);
    const size = Math.min(16, Math.floor(records.count / 8));
    return Array.from({ length: size }, (_, slot) =>
      records.at(Math.min(records.count - 1, start + slot * 2)),
    );
  });
  const before = await trialBytes(samples, dictionaries.get(current));
  const after = await trialBytes(samples, candidate);
  return after < before * worthwhile ? dictionaries.add(candidate) : current;
}
