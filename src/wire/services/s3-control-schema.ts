/**
 * The schema of what is served of S3 Control, the tags of buckets, which the npm client of S3 does not carry ("TagResource",
 * "UntagResource" and "ListTagsForResource", Amazon S3 Control, in the S3 API Reference). It has the form of the SDK clients'
 * schemas: [kind, namespace, name, traits, members, types, number of required members], where kind 3 is a structure, 1 a
 * list, 9 an operation; type 0 is a string.
 */
const namespace = 'com.amazonaws.s3control';

const tag = [3, namespace, 'Tag', 0, ['Key', 'Value'], [0, 0], 2];
const tagList = [1, namespace, 'TagList', 0, [tag, { xmlName: 'Tag' }]];
const tagKeyList = [1, namespace, 'TagKeyList', 0, 0];

const account = [0, { httpHeader: 'x-amz-account-id' }];
const resource = [0, 1];

function request(name: string, more: readonly string[], types: readonly unknown[]): readonly unknown[] {
  const members = ['AccountId', 'ResourceArn', ...more];
  return [3, namespace, name, 0, members, [account, resource, ...types], members.length];
}

const listRequest = request('ListTagsForResourceRequest', [], []);
const tagRequest = request('TagResourceRequest', ['Tags'], [tagList]);
const untagRequest = request('UntagResourceRequest', ['TagKeys'], [[tagKeyList, { httpQuery: 'tagKeys' }]]);
const listResult = [3, namespace, 'ListTagsForResourceResult', 0, ['Tags'], [tagList]];
const tagResult = [3, namespace, 'TagResourceResult', 0, [], []];
const untagResult = [3, namespace, 'UntagResourceResult', 0, [], []];

function operation(
  name: string,
  [method, status]: readonly [string, number],
  input: readonly unknown[],
  output: readonly unknown[],
): readonly unknown[] {
  const http = [method, '/v20180820/tags/{ResourceArn+}', status];
  return [9, namespace, name, { http }, () => input, () => output];
}

/** What importing a client package would give. */
export const s3ControlExports: Readonly<Record<string, unknown>> = {
  ListTagsForResource$: operation('ListTagsForResource', ['GET', 200], listRequest, listResult),
  TagResource$: operation('TagResource', ['POST', 204], tagRequest, tagResult),
  UntagResource$: operation('UntagResource', ['DELETE', 204], untagRequest, untagResult),
  Tag$: tag,
  ListTagsForResourceRequest$: listRequest,
  TagResourceRequest$: tagRequest,
  UntagResourceRequest$: untagRequest,
  ListTagsForResourceResult$: listResult,
  TagResourceResult$: tagResult,
  UntagResourceResult$: untagResult,
};
