// A run that hands alerts to its messenger until it is killed. Arguments: the folder of the program's modules, the plan as JSON, what begins the
// ids, and the pause between alerts in ms. An id is printed once its alert is out of this process's hands.

import { writeSync } from 'node:fs';
import { join } from 'node:path';

const [modules, plan, prefix, pause] = process.argv.slice(2);
const { Messenger } = await import(join(modules, 'messenger/client.js'));
const { systemEdges } = await import(join(modules, 'system/programs.js'));

const alert = {
  time: Date.now(),
  kind: 'scan',
  severity: 'info',
  app: 'x',
  exe: null,
  pid: 1,
  user: null,
  host: null,
  domain: null,
};
const rest = { text: 'x tried many ports.', details: [], evidence: null, held: null };
const messenger = await Messenger.start(JSON.parse(plan), null, systemEdges(), null);
let count = 0;
function hand() {
  const id = `${prefix}-${++count}`;
  messenger.deliver({ ...alert, ...rest, id });
  writeSync(1, `${id}\n`);
}
hand();
setInterval(hand, Number(pause));
