// A recorder under load, to be killed: offers a batch every few milliseconds and saves again and again. Says on standard output what it
// offered before it does, and what is confirmed after it is.
// usage: node recorder.js DIST PATH

import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [dist, path] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${dist}/${name}`).href);
const { Recorder } = await load('history/recorder.js');
const { saveInThread } = await load('history/save-thread.js');
const { lockFile, systemFlock } = await load('system/file-lock.js');
const { systemClock } = await load('system/clock.js');

const flock = await systemFlock();
const recorder = new Recorder({
  path,
  owner: null,
  maxBytes: 200e6,
  clock: systemClock,
  newest: () => Date.now(),
  takeLock: (lock, owner) => lockFile(lock, owner, flock),
  asOwner: (work) => work(),
  runSave: saveInThread,
  onBegin: () => {},
});
recorder.begin();
if (!recorder.isRecording) throw new Error(recorder.status.note);
const facts = {
  reason: null,
  exe: '/bin/x',
  domain: null,
  category: null,
  interface: 'eth0',
  protocol: 'tcp',
  direction: 'outbound',
  container: null,
};
const save = () => recorder.save().then(() => setTimeout(save, 20));
let bytes = 0;
for (let turn = 0; ; turn++) {
  const minute = Math.floor(Date.now() / 60_000);
  const entries = Array.from({ length: 20 }, (_, i) => {
    const rxBytes = 1 + ((turn * 31 + i * 7) % 1000);
    bytes += rxBytes;
    return {
      ...facts,
      app: `app${i % 9}`,
      host: `host${(turn + i) % 500}.example`,
      rxBytes,
      txBytes: 0,
      rxPackets: 1,
      txPackets: 0,
      flows: 0,
    };
  });
  writeSync(1, `offered ${bytes} ${Date.now()}\n`);
  recorder.offer({ minute, entries, flows: [], unlogged: 0 });
  await recorder.work();
  if (recorder.status.state !== 'recording') throw new Error(recorder.status.note);
  if (!recorder.isBehind) writeSync(1, `confirmed ${bytes} ${Date.now()}\n`);
  if (turn === 0) void save();
  await new Promise((resolve) => setTimeout(resolve, 5)); // or a save has so much to bring in that there are few of them
}
