import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { attributeNames } from '../trail/history/index.ts';
import { addFilterOptions, countParameter, filterAttributes, filterQuery } from './event-filter.ts';

const now = Date.UTC(2026, 10, 22, 12, 0, 0);

function query(...args: string[]) {
  const command = addFilterOptions(new Command().exitOverride(), 'stretch');
  command.parse(args, { from: 'user' });
  return filterQuery(command.opts(), now);
}

describe('the filter options', () => {
  it('have an option for every attribute that the history indexes', () => {
    const offered = filterAttributes.map(({ parameter }) => parameter.toLowerCase());
    for (const name of attributeNames) {
      expect(offered).toContain(name === 'SourceIpAddress' ? 'sourceip' : name.toLowerCase());
    }
    expect(offered).toHaveLength(attributeNames.length);
  });

  it('become query parameters named after the attributes', () => {
    expect(query('--event-name', 'CreateUser', '--event-name', 'DeleteUser', '--username', 'alice')).toEqual({
      eventName: ['CreateUser', 'DeleteUser'],
      username: ['alice'],
    });
    expect(query('--source-ip', '10.0.0.0/8', '--text', 'a b', '--access-key-id', 'AKIA')).toEqual({
      sourceIp: ['10.0.0.0/8'],
      accessKeyId: ['AKIA'],
      text: ['a b'],
    });
    expect(query('--from', '1h', '--to', 'now')).toEqual({
      from: '2026-11-22T11:00:00.000Z',
      to: '2026-11-22T12:00:00.000Z',
    });
  });

  it('exclude with --not, in any spelling of the attribute, also values that hold an equals sign', () => {
    expect(query('--not', 'readOnly=true', '--not', 'EventName=A', '--not', 'event-name=B=C')).toEqual({
      'not.readOnly': ['true'],
      'not.eventName': ['A', 'B=C'],
    });
  });

  it.each([
    [['--read-only', 'yes'], '--read-only takes true or false'],
    [['--source-ip', '10.0.0.0/33'], '--source-ip takes an address or a range'],
    [['--source-ip', 'ten/8'], '--source-ip takes an address or a range'],
    [['--event-name', ''], '--event-name takes a value that is not empty'],
    [['--not', 'eventName'], '--not takes ATTRIBUTE=VALUE'],
    [['--not', 'colour=red'], '"colour" is no attribute; there are eventName'],
    [['--not', 'readOnly=maybe'], '--read-only takes true or false'],
  ])('refuse %j', (args, message) => {
    expect(() => query(...args)).toThrow(message);
  });

  it('names attributes in any spelling', () => {
    expect(countParameter('EventName')).toBe('eventName');
    expect(countParameter('source-ip')).toBe('sourceIp');
    expect(countParameter('requestParameters.bucketName')).toBe('requestParameters.bucketName');
  });
});
