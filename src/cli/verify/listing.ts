import { parseXml, type XmlElement } from '../../wire/index.ts';
import type { StoredFile } from './bucket-source.ts';

/** One page of a bucket's listing. */
export interface ListingPage {
  readonly files: readonly StoredFile[];
  /** The prefixes of the folders directly below the prefix that was asked for. */
  readonly folders: readonly string[];
  readonly nextToken: string | undefined;
}

/** Times of answers have whole seconds, those of listings more; the ETag tells contents apart. */
export function objectTag(etag: string, lastModified: number | undefined): string {
  return `${etag} ${Math.floor((lastModified ?? 0) / 1000)}`;
}

function textOf(element: XmlElement, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text;
}

function storedFile(element: XmlElement): StoredFile | undefined {
  const key = textOf(element, 'Key');
  const size = textOf(element, 'Size') ?? '';
  const lastModified = Date.parse(textOf(element, 'LastModified') ?? '');
  if (key === undefined || !/^\d+$/.test(size) || Number.isNaN(lastModified)) return undefined;
  return { key, sizeBytes: Number(size), tag: objectTag(textOf(element, 'ETag') ?? '', lastModified) };
}

/** Reads the answer of ListObjectsV2. Undefined for one that is not understood in every part. */
export function readListing(body: Uint8Array): ListingPage | undefined {
  let root: XmlElement;
  try {
    root = parseXml(body);
  } catch {
    return undefined;
  }
  if (root.name !== 'ListBucketResult') return undefined;
  const files: StoredFile[] = [];
  const folders: string[] = [];
  for (const element of root.children) {
    if (element.name === 'Contents') {
      const file = storedFile(element);
      if (!file) return undefined;
      files.push(file);
    } else if (element.name === 'CommonPrefixes') {
      const prefix = textOf(element, 'Prefix');
      if (prefix === undefined) return undefined;
      folders.push(prefix);
    } else if (element.name === 'EncodingType') return undefined;
  }
  const isTruncated = textOf(root, 'IsTruncated');
  const token = textOf(root, 'NextContinuationToken');
  if (isTruncated === 'false') return { files, folders, nextToken: undefined };
  return isTruncated === 'true' && token ? { files, folders, nextToken: token } : undefined;
}
