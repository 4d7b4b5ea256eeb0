/**
 * The ports on this machine's disk: logs as segment files, blobs as a directory tree, cursors as small files, all in
 * one data directory that one process holds at a time.
 */
export { DataDirectoryError, openDataDirectory, type DataDirectory } from './data-directory.ts';
export { DirectoryHeldError, DirectoryLostError, isDirectoryHeld } from './directory-lock.ts';
export type { FileSystem, OpenFile } from './file-system.ts';
export { openSegmentLog, type SegmentLogOptions } from './segment-log.ts';
export { openFileCursors } from './file-cursors.ts';
export { openDirectoryBlob } from './directory-blob.ts';
export { openDuckColumns, verifyColumns } from './columns/index.ts';
export { blobPath } from './blob-path.ts';
