import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readSettings, settingNames, unknownSettings } from './settings.ts';

it('takes an empty variable for one that is not set', () => {
  const empty = Object.fromEntries([...settingNames].map((name) => [name, '']));
  expect(readSettings(empty)).toEqual(readSettings({}));
});

it('has a row in the README for every setting, and every setting of the README', () => {
  const [, table = ''] = /^## Settings\n(.*?)\n\n\*\*/ms.exec(readFileSync('README.md', 'utf8')) ?? [];
  const rows = table.split('\n').filter((line) => line.startsWith('| `CAIRN_'));
  const named = rows.flatMap((row) => row.split('|')[1]?.match(/CAIRN_\w+/g) ?? []);
  expect(named.toSorted()).toEqual([...settingNames].toSorted());
});

it('names the variables that look like settings and are none', () => {
  const known = Object.fromEntries([...settingNames].map((name) => [name, 'x']));
  const kubernetes = {
    CAIRN_SERVICE_HOST: '10.0.0.1',
    CAIRN_SERVICE_PORT_HTTP: '4747',
    CAIRN_PORT: 'tcp://10.0.0.1:4747',
    CAIRN_PORT_4747_TCP_ADDR: '10.0.0.1',
  };
  expect(unknownSettings({ ...known, ...kubernetes, PATH: '/bin' })).toEqual([]);
  expect(unknownSettings({ ...known, CAIRN_RETENTION_DAY: '30', CAIRN_LOGLEVEL: 'warn' })).toEqual([
    'CAIRN_LOGLEVEL',
    'CAIRN_RETENTION_DAY',
  ]);
});
