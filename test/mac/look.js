// Runs the built program on the fake Mac, on this terminal: node test/mac/look.js root|sudo|ann [ARGUMENTS...]
// `sudo` is ann's sudo, `root` is root without sudo, `ann` has no rights. Needs what the tests of this folder need.

import { join } from 'node:path';
import { createViteServer } from 'vitest/node';

process.on('SIGINT', () => undefined); // it is for the program
const root = join(import.meta.dirname, '../..');
const [starter = '', ...words] = process.argv.slice(2);
const vite = await createViteServer({
  root,
  configFile: false,
  appType: 'custom',
  server: { middlewareMode: true, ws: false },
});
const { MacFactory, macObstacle } = await vite.ssrLoadModule('/test/mac/machine.ts');
const obstacle = ['root', 'sudo', 'ann'].includes(starter) ? macObstacle() : 'the first word is root, sudo or ann';
if (obstacle === null) {
  const macs = new MacFactory(join(root, 'bin/netmon-tui.js'));
  process.exitCode = macs.make().show(starter, ...words);
  macs.close();
} else {
  console.error(`no fake Mac: ${obstacle}`);
  process.exitCode = 2;
}
await vite.close();
