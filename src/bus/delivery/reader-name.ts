/** Of the reader of the stream `bus`: of its cursor, and in the metrics. */
export const readerName = 'targets';
