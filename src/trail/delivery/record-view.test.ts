import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../kernel/index.ts';
import { auditRecord } from '../../../test/trails-fixture.ts';
import { scanRecord } from '../history/index.ts';
import { selectableEvent } from '../trails/selectors/selectable-event.ts';
import { openRecordView } from './record-view.ts';

/** What a view says, against the full scan that is the measure of it. */
function said(view: ReturnType<typeof openRecordView>, bytes: Uint8Array): unknown {
  const problem = view.read(bytes);
  if (problem !== undefined) return problem;
  const { scanned } = view.event;
  const head = { ...scanned };
  const all = Object.fromEntries(Object.keys(scanned).map((key) => [key, Reflect.get(scanned, key)]));
  const inside = view.event.inside('userIdentity', 'type');
  return { ...head, ...all, top: view.event.top('eventVersion'), inside, own: view.event.resources };
}

function expected(bytes: Uint8Array): unknown {
  const scan = scanRecord(bytes);
  if (scan.kind === 'problem') return scan.problem;
  const event = selectableEvent(scan.record, bytes);
  const inside = event.inside('userIdentity', 'type');
  return { ...scan.record, top: event.top('eventVersion'), inside, own: event.resources };
}

const text = auditRecord('1', {
  resources: [{ type: 'AWS::S3::Object', ARN: 'arn:aws:s3:::bucket/key' }],
}).toString();
const twice = (member: string, value: unknown) =>
  text.replace('"eventVersion"', `"${member}":${JSON.stringify(value)},"eventVersion"`);
const changed = (over: Record<string, unknown>) => auditRecord('1', over).toString();

const cases: Readonly<Record<string, string>> = {
  'a usual record': text,
  'another second': changed({ eventTime: '2026-11-22T10:00:59Z' }),
  'another minute': changed({ eventTime: '2026-11-22T10:01:00Z' }),
  'a second that there is not': changed({ eventTime: '2026-11-22T10:01:60Z' }),
  'a time with a fraction': changed({ eventTime: '2026-11-22T10:01:00.5Z' }),
  'a time with a zone': changed({ eventTime: '2026-11-22T10:01:00+01:00' }),
  'a day that there is not': changed({ eventTime: '2026-02-30T10:01:00Z' }),
  'the same day again': changed({ eventTime: '2026-02-30T10:01:01Z' }),
  'space around it': ` ${text}\n`,
  'space inside': JSON.stringify(JSON.parse(text), undefined, 2),
  'something behind it': `${text}}`,
  'an end too early': text.slice(0, -1),
  'no object': '[]',
  'an empty object': '{}',
  nothing: '',
  'a comma too many': text.replace(/\}$/, ',}'),
  'text that is not ASCII': changed({ eventSource: 'é.amazonaws.com', awsRegion: 'ü' }),
  'an escape in a value': text.replace('ec2.amazonaws', String.raw`\u0065c2.amazonaws`),
  'an escape in a name': text.replace('"awsRegion"', String.raw`"\u0061wsRegion"`),
  'an escape in the name of a member that stands twice': twice('eu', 1).replace(
    '"eu":1',
    String.raw`"\u0061wsRegion":"us-east-1"`,
  ),
  'a region twice': twice('awsRegion', 'us-east-1'),
  'a time twice': twice('eventTime', '2026-11-22T10:00:30Z'),
  'a category twice': twice('eventCategory', 'Data'),
  'readOnly as text': changed({ readOnly: 'true' }),
  'readOnly as other text': changed({ readOnly: 'yes' }),
  'readOnly as a number': changed({ readOnly: 1 }),
  'readOnly as null': changed({ readOnly: null }),
  'no readOnly': changed({ readOnly: undefined }),
  'no category': changed({ eventCategory: undefined }),
  'no category, and no management event': changed({ eventCategory: undefined, managementEvent: false }),
  'a category that is null': changed({ eventCategory: null }),
  'no source': changed({ eventSource: undefined }),
  'an empty source': changed({ eventSource: '' }),
  'an empty eventID': changed({ eventID: '' }),
  'an eventID that is a number': changed({ eventID: 7 }),
  'no eventID': changed({ eventID: undefined }),
  'no account but that of the caller': changed({ recipientAccountId: undefined }),
  'an empty region': changed({ awsRegion: '' }),
  'no region': changed({ awsRegion: undefined }),
  'an event of another system': changed({
    eventCategory: 'ActivityAuditLog',
    eventSource: 'top',
    eventData: { eventSource: 'inside', eventName: 'Did' },
  }),
  'members of the head inside others': changed({
    requestParameters: { awsRegion: 'us-east-1', eventCategory: 'Data', eventTime: 'never' },
  }),
  'a record that is too large': changed({ requestParameters: { large: 'x'.repeat(300_000) } }),
};

describe('the view of a record', () => {
  it.each(Object.entries(cases))('says what the full scan says: %s', (_, json) => {
    const view = openRecordView();
    const bytes = Buffer.from(json);
    // The minute is known from the second time on.
    expect(said(view, bytes)).toEqual(expected(bytes));
    expect(said(view, bytes)).toEqual(expected(bytes));
    expect(said(view, new Uint8Array(Buffer.from(text)))).toEqual(expected(Buffer.from(text)));
    expect(said(view, bytes)).toEqual(expected(bytes));
  });

  const seed = Number(process.env['CAIRN_SEED'] ?? 1);
  it(`says what the full scan says of records with random faults (CAIRN_SEED=${seed})`, () => {
    const random = seededRandom(seed);
    const view = openRecordView();
    const sources = Object.values(cases).filter((json) => json.length > 0 && json.length < 10_000);
    for (let count = 0; count < 5_000; count++) {
      const bytes = Buffer.from(sources[random.below(sources.length)] ?? text);
      for (let faults = random.below(3); faults > 0; faults--)
        bytes[random.below(bytes.length)] =
          random.below(3) === 0 ? random.below(256) : (bytes[random.below(bytes.length)] ?? 0);
      expect(said(view, bytes)).toEqual(expected(bytes));
    }
  });
});
