import { silentLog } from '../../../kernel/index.ts';
import { columnsContract, contractTable } from '../../columns-contract.ts';
import { openDuckColumns } from './duck-columns.ts';

columnsContract('DuckDB', {
  open: (directory) => openDuckColumns({ directory, table: contractTable, log: silentLog }),
  sql: {
    count: (view) => `SELECT count(*) FROM "${view}"`,
    everything: (view) =>
      `SELECT id, flag, labels['nested'], who.name, things[1].arn FROM "${view}" ORDER BY id -- the end`,
    flagged: 'flag',
    endless: (view) => `SELECT sum(a.flag::INT + b.flag::INT) FROM "${view}" a, range(100000000000) b(flag)`,
    wrong: 'SELECT nothing FROM nowhere',
  },
});
