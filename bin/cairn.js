#!/usr/bin/env node
// Runs the command line on Node 24, the server with the flag and the settings that it needs. Cairn brings that Node with it as
// a package, so that the machine's own may be older.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const neededMajor = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

function findNode() {
  const require = createRequire(import.meta.url);
  try {
    const manifest = require.resolve(`node-${process.platform}-${process.arch}/package.json`);
    const binary = join(dirname(manifest), 'bin', 'node');
    if (existsSync(binary)) return binary;
  } catch {
    // The package is not installed for this platform; a Node of this version may still be in the place npm links to.
  }
  const linked = join(root, 'node_modules', '.bin', 'node');
  return existsSync(linked) ? linked : undefined;
}

/** Lets the C library give memory back to the system, which it reads at its start alone (ARCHITECTURE.md, Threads and memory). */
const givenBack = { MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };

function runOn(node) {
  const main = join(root, 'src', 'cli', 'main.js');
  // Why the flag: ARCHITECTURE.md, Threads and memory.
  const child = spawn(node, ['--no-memory-protection-keys', main, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...givenBack, ...process.env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`cairn: cannot run ${node}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code ?? 1;
      return;
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

const fits = Number(process.versions.node.split('.')[0]) >= neededMajor;

if (fits && process.argv[2] !== 'start') {
  await import('../src/cli/main.js');
} else {
  const node = fits ? process.execPath : findNode();
  if (node === undefined) {
    console.error(
      `cairn: needs Node ${neededMajor}, this is ${process.versions.node}. Run \`npm ci\` in ${root}, which installs it beside Cairn, or install Node ${neededMajor}.`,
    );
    process.exitCode = 1;
  } else {
    runOn(node);
  }
}
