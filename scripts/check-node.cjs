// Loaded before anything in TypeScript: an old Node could not even read it. Plain enough for any version.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`Patchbay needs Node 22.18 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}
