import { describeBlob } from '../blob-contract.ts';
import { describeLog } from '../log-contract.ts';
import { openMemoryBlob, openMemoryLog } from './index.ts';

describeLog({ name: 'memory', open: openMemoryLog });
describeBlob({ name: 'memory', open: openMemoryBlob });
