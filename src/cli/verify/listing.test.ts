import { describe, expect, it } from 'vitest';
import { objectTag, readListing } from './listing.ts';

const read = (inside: string, root = 'ListBucketResult') =>
  readListing(
    Buffer.from(
      `<?xml version="1.0"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inside}</${root}>`,
    ),
  );
const file = (key: string) =>
  `<Contents><Key>${key}</Key><LastModified>2026-11-22T10:00:00.500Z</LastModified><ETag>&quot;e&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>`;
const end = '<IsTruncated>false</IsTruncated>';

// "ListObjectsV2" in the S3 API reference has the elements.
describe('readListing', () => {
  it('reads files, folders and where the next page begins', () => {
    const tag = objectTag('"e"', Date.UTC(2026, 10, 22, 10));
    expect(
      read(
        `<Name>b</Name><IsTruncated>true</IsTruncated><NextContinuationToken>t/1</NextContinuationToken>${file('a&amp;b')}${file('c')}<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes>`,
      ),
    ).toEqual({
      files: [
        { key: 'a&b', sizeBytes: 7, tag },
        { key: 'c', sizeBytes: 7, tag },
      ],
      folders: ['d/'],
      nextToken: 't/1',
    });
    expect(read(end)).toEqual({ files: [], folders: [], nextToken: undefined });
  });

  it.each([
    ['a file without a key', read(`${end}<Contents><Size>1</Size></Contents>`)],
    ['a size that is none', read(end + file('a').replace('7', 'x'))],
    ['a time that is none', read(end + file('a').replace('2026', 'x'))],
    ['a page that does not say whether it is the last', read(file('a'))],
    ['a page that goes on nowhere', read('<IsTruncated>true</IsTruncated>')],
    ['keys in another encoding', read(`${end}<EncodingType>url</EncodingType>${file('a%20b')}`)],
    ['another answer', read(end, 'Error')],
    ['bytes that are no XML', readListing(Buffer.from('{}'))],
  ])('does not understand %s', (_what, listing) => {
    expect(listing).toBeUndefined();
  });
});
