// Loaded before anything in TypeScript: an old Node could not even read it. Plain enough for any version.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`Patchbay needs Node 22.18 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

// What was compiled once is kept beside the packages: later starts take half the time. Where that folder cannot be
// written, Node goes on without.
const { join } = require('node:path');
require('node:module').enableCompileCache?.(join(__dirname, '..', 'node_modules', '.cache', 'patchbay'));
