// `npm run bench <name> [options]`: runs one benchmark, after the facts about this machine.
import { readdir } from 'node:fs/promises';
import { arch, cpus, platform, release, totalmem } from 'node:os';

const names = (await readdir(import.meta.dirname)).flatMap((file) => {
  const name = /^(.+)\.ts$/.exec(file)?.[1];
  return name && name !== 'run' ? [name] : [];
});
const name = process.argv[2];
if (!name || !names.includes(name)) {
  console.error(`Usage: npm run bench <name>, one of: ${names.join(', ')}`);
  process.exit(1);
}
const processors = cpus();
console.log(
  `${processors[0]?.model.trim()} × ${processors.length}, ${Math.round(totalmem() / 2 ** 30)} GB, ` +
    `${platform()} ${release()} ${arch()}, Node ${process.versions.node}`,
);
process.argv.splice(2, 1);
await import(`./${name}.ts`);
