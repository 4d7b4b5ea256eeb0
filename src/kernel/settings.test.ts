import { expect, it } from 'vitest';
import { readSettings } from './settings.ts';

it('takes an empty variable for one that is not set', () => {
  const names = [
    'CAIRN_LISTEN',
    'CAIRN_DATA',
    'CAIRN_ACCOUNT_ID',
    'CAIRN_REGION',
    'CAIRN_ROOT_ACCESS_KEY_ID',
    'CAIRN_ROOT_SECRET_ACCESS_KEY',
    'CAIRN_TLS_CERT',
    'CAIRN_TLS_KEY',
    'CAIRN_TRUSTED_PROXIES',
    'CAIRN_RETENTION_DAYS',
    'CAIRN_DELIVERY_SECONDS',
    'CAIRN_DIGEST_SECONDS',
    'CAIRN_OUTSIDE_BUCKETS',
    'CAIRN_LOG_ORIGIN',
    'CAIRN_WITNESSES',
    'CAIRN_LOG_LEVEL',
  ];
  expect(readSettings(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readSettings({}));
});

it('keeps to loopback and to ./data unless told otherwise; options win', () => {
  expect(readSettings({})).toMatchObject({ listen: { host: '127.0.0.1', port: 4747 }, data: './data' });
  const env = { CAIRN_LISTEN: '0.0.0.0:80', CAIRN_DATA: '/var/lib/cairn' };
  expect(readSettings(env)).toMatchObject({ listen: { host: '0.0.0.0', port: 80 }, data: '/var/lib/cairn' });
  const options = { listen: '[::1]:0', data: 'here' };
  expect(readSettings(env, options)).toMatchObject({ listen: { host: '::1', port: 0 }, data: 'here' });
});
