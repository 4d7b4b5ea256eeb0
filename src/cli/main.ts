import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * The entry of the command line. Node keeps what it compiled beside the installed packages, where nobody else may write,
 * which halves the time that a command takes to start; where it may not write there, it does without.
 */
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/cairn', import.meta.url)));
const { run } = await import('./run.ts');
process.exitCode = await run();
