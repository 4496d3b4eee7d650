// Fills one table to its bound and says what memory that took. Runs as a process of its own, so that nothing else moves meanwhile.
// usage: node --expose-gc table.js ROOT NAME

import { pathToFileURL } from 'node:url';

const [root, name] = process.argv.slice(2);
const built = (path) => import(pathToFileURL(`${root}/dist/${path}`).href);
const V4 = 0xffff;
/** A text as the program gets it: made of bytes, none of it shared with another. */
const textOf = (number, length) => Buffer.from(String(number).padStart(length, 'host.example.com/')).toString('latin1');
const wordsOf = (number) => Int32Array.of(0, 0, V4, 0x0b00_0000 + number);
const facts = (number, app) => ({
  pid: number,
  name: `app${app}`,
  exe: textOf(app, 32),
  uid: null,
  parentPid: 1,
  startTime: number,
  script: null,
  unit: null,
});

/** @type {Record<string, () => Promise<() => {held: object, entries: number}>>} each loads its code, then fills */
const TABLES = {
  async flows() {
    const [{ FlowTable }, { Localizer }, { Packet }, { MAX_FLOWS }, { Aggregator }, { Directory }] = await Promise.all(
      [
        'flow/flow-table',
        'flow/direction',
        'decode/packet',
        'pipeline/monitor',
        'aggregate/aggregator',
        'identify/process/directory',
      ].map((path) => built(`${path}.js`)),
    );
    return () => {
      const localizer = new Localizer(false);
      localizer.setAddresses(wordsOf(1));
      const flows = new FlowTable(localizer, MAX_FLOWS, 1);
      const held = new Aggregator({ flows, directory: new Directory({ name: () => null }), started: 0, seed: 1 });
      const packet = new Packet();
      packet.words.set([...wordsOf(1), ...wordsOf(2)]);
      Object.assign(packet, { hasAddresses: true, protocol: 17, networkBytes: 100, frameBytes: 114 });
      for (let i = 0; i < MAX_FLOWS; i++) {
        packet.sourcePort = i & 0xffff;
        packet.destinationPort = i >>> 16;
        packet.time = i;
        flows.touch(packet, 0, 2);
      }
      held.setInterfaces([
        { name: 'en0', kind: 'physical', isCounted: true, repeats: false, lower: [], frameBytes: 0, counterBytes: 0 },
      ]);
      held.booking.bookTouched();
      return { held: [held, flows], entries: flows.count };
    };
  },
  async means() {
    const { Means, MeansClock } = await built('aggregate/means.js');
    return () => {
      const held = new Means(new MeansClock());
      for (let i = 0; i < 65_536; i++) held.add(i, 1, 1);
      return { held, entries: 65_536 };
    };
  },
  async hosts() {
    const [{ HostTable }, { Accumulators }, { movement }] = await Promise.all(
      ['aggregate/rows/host-table', 'aggregate/accumulators', 'aggregate/accumulators'].map((path) => built(`${path}.js`)),
    );
    return () => {
      const hosts = new HostTable(65_536, 1);
      const sums = new Accumulators(65_536);
      const moved = { ...movement(), rx: 1, rxTotal: 1 };
      for (let i = 0; i < 65_536; i++) sums.enter(hosts.intern(wordsOf(i), 0), moved);
      return { held: [hosts, sums], entries: hosts.count };
    };
  },
  async names() {
    const { NameStrings } = await built('identify/name/name-strings.js');
    return () => {
      const names = new NameStrings();
      for (let i = 0; i < 65_536; i++) names.intern(textOf(i, 24));
      return { held: names, entries: names.count };
    };
  },
  async answers() {
    const { Answers } = await built('identify/name/answers.js');
    return () => {
      const answers = new Answers(1);
      for (let i = 0; i < 400_000; i++) answers.add(wordsOf(i), 0, textOf(i, 24), -1, 0, 60, i);
      return { held: answers, entries: 32_768 };
    };
  },
  async processes() {
    const { Directory, MAX_PROCESSES } = await built('identify/process/directory.js');
    return () => {
      const directory = new Directory({ name: () => null });
      for (let i = 0; i < MAX_PROCESSES; i++) directory.learn(facts(i, i & 63));
      return { held: directory, entries: directory.processCount };
    };
  },
  async lineage() {
    const { LineageBook } = await built('identify/process/lineage.js');
    return () => {
      const book = new LineageBook(
        () => null,
        (start) => start,
      );
      for (let pid = 2; pid < 20_000; pid++) {
        book.born(pid, pid - 1, pid);
        const words = Buffer.from(`program-${pid}\0${'x'.repeat(500)}`).toString();
        book.became({
          pid,
          parent: pid - 1,
          name: `program-${pid}`,
          start: pid,
          session: 77,
          terminal: `pts/${pid % 100}`,
          words,
        });
      }
      return { held: book, entries: book.size };
    };
  },
  async apps() {
    const { Directory, MAX_APPS } = await built('identify/process/directory.js');
    return () => {
      const directory = new Directory({ name: () => null });
      for (let i = 0; i < MAX_APPS; i++) directory.learn(facts(i, i));
      return { held: directory, entries: directory.appCount };
    };
  },
  async rates() {
    const { RateRings } = await built('aggregate/accumulators.js');
    return () => {
      const held = Array.from({ length: 192 }, () => new RateRings());
      return { held, entries: held.length };
    };
  },
  async fragments() {
    const { Fragments } = await built('decode/decode.js');
    return () => {
      const held = Array.from({ length: 64 }, () => new Fragments()); // one is too small to be told from noise
      return { held, entries: 64 * 1024 };
    };
  },
  async events() {
    const { EventLog } = await built('aggregate/event-log.js');
    return () => {
      const log = new EventLog();
      for (let i = 0; i < 1000; i++) log.tell('warning', textOf(i, 60));
      return { held: log, entries: 500 };
    };
  },
  async met() {
    const { KnownNames } = await built('aggregate/event-log.js');
    return () => {
      const known = new KnownNames();
      for (let i = 0; i < 32_768; i++) known.meet(textOf(i, 24));
      return { held: known, entries: 32_768 };
    };
  },
  async questions() {
    const [{ Exchanges, UDP }, { WireName, wireLabels }, { DnsLog, MAX_QUESTIONS }, { Packet }, { registrableDomain }] =
      await Promise.all(
        ['inspect/dns/exchanges', 'inspect/dns/name', 'aggregate/dns/dns-log', 'decode/packet', 'identify/name/domain'].map(
          (path) => built(`${path}.js`),
        ),
      );
    return () => {
      const exchanges = new Exchanges();
      const flows = { owner: () => 1, awaitsOwner: () => false, reason: () => null, direction: () => 0, interface: () => 0 };
      const directory = { process: () => ({ pid: 1, app: 1 }), app: () => ({ name: 'app' }) };
      const held = new DnsLog({
        ...{ exchanges, flows, directory, interfaceName: () => 'en0', domainOf: registrableDomain, onBehalfOf: null },
      });
      held.keep();
      const packet = new Packet();
      const name = new WireName();
      const record = [0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4];
      for (let i = 0; i < MAX_QUESTIONS; i++) {
        const labels = wireLabels(`${String(i).padStart(12, 'host')}.example.com`);
        name.bytes.set(labels);
        name.length = labels.length;
        exchanges.begin(packet, i);
        exchanges.ask(i % 64, UDP, i & 0xffff, 1, name);
        const head = [(i >> 8) & 255, i & 255, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0];
        const message = Uint8Array.from([...head, ...record, 198, 51, i & 127, 1, ...record, 198, 51, i & 127, 2]);
        exchanges.answer(i % 64, UDP, 1, name, message, 0, head.length, message.length);
        if (i % 1000 === 0) held.tick(i);
      }
      const part = held.tick(MAX_QUESTIONS);
      return { held: [held, part], entries: part.questions.length };
    };
  },
  async waiting() {
    const { Backlog } = await built('history/journal/journal.js');
    return () => {
      const backlog = new Backlog();
      const fact = {
        app: 'app',
        reason: null,
        container: null,
        exe: '/usr/bin/app',
        domain: 'example.com',
        category: null,
        interface: 'en0',
      };
      const count = { protocol: 'tcp', direction: 'outbound', rxBytes: 1, txBytes: 1, rxPackets: 1, txPackets: 1, flows: 1 };
      for (let i = 0; i < 50_000; i++) {
        const entry = { ...fact, host: textOf(i, 24), ...count };
        backlog.add({ minute: 0, entries: [entry], flows: [], unlogged: 0 });
      }
      return { held: backlog, entries: 50_000 };
    };
  },
};

const fill = await TABLES[name]();
const held = () => {
  for (let i = 0; i < 4; i++) globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
fill(); // what code and caches take is no table's
const before = held();
const filled = fill();
const bytes = held() - before;
console.log(JSON.stringify({ bytes, entries: filled.entries, kept: typeof filled.held }));
