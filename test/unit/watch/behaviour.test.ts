// What apps do, rather than whom they meet: uploads, beacons, scans, names that carry data; and what is ordinary though it looks alike.

import { describe, expect, test } from 'vitest';
import type { CaptureStatus } from '../../../src/model/snapshot.ts';
import type { WatchFlow } from '../../../src/model/watch.ts';
import { CAPTURE } from '../../support/snapshot-builder.ts';
import { knownBaseline, nameless, said, Watching, watchFlow } from '../../support/watching.ts';

const HOUR = 3_600_000;

describe('upload', () => {
  const sending = (peakTx: number) => {
    const watch = new Watching();
    watch.watchman.know(knownBaseline([{ app: 'rclone', peakTx }]));
    watch.tick();
    return (bytes: number, ms = 1000) => {
      watch.watchman.sent('rclone', bytes);
      return said(watch.tick(ms));
    };
  };

  test('names what was sent this hour and what is usual, once', () => {
    const send = sending(120e6);
    expect(send(470e6)).toEqual([]);
    expect(send(4.73e9)).toEqual(['upload: rclone sent 5.2 GB this hour; usual is 120 MB at most.']);
    expect(send(1e9)).toEqual([]);
  });

  test('says nothing of what is usual before there were some hours of it', () => {
    const watch = new Watching({ learnMs: 0 });
    watch.watchman.know(knownBaseline([{ app: 'rclone', recordedMs: 12 * 60_000, first: watch.time - 12 * 60_000 }]));
    watch.tick();
    watch.watchman.sent('rclone', 300e6);
    expect(said(watch.tick())).toEqual([
      'upload: rclone sent 300 MB this hour; it has been watched for 12 min, too short to say what is usual.',
    ]);
  });

  test('needs more than the floor, and an hour that is compared with hours', () => {
    const send = sending(0);
    expect(send(199e6)).toEqual([]);
    expect(send(0, HOUR)).toEqual([]);
    expect(send(199e6)).toEqual([]); // within four times the hour before
    expect(send(700e6)).toEqual(['upload: rclone sent 899 MB this hour; usual is 199 MB at most.']);
  });

  test('goes on from what history knows of this hour, and tells nothing that was told before', () => {
    const resumed = (hourTx: number, peakTx = 0) => {
      const watch = new Watching();
      watch.tick();
      watch.watchman.know(knownBaseline([{ app: 'rclone', peakTx, hourTx }]));
      return (bytes: number, ms = 1000) => {
        if (bytes > 0) watch.watchman.sent('rclone', bytes);
        return said(watch.tick(ms));
      };
    };
    expect(resumed(150e6)(60e6)).toEqual(['upload: rclone sent 210 MB this hour; it usually sends nothing.']);
    const told = resumed(300e6);
    expect([told(100e6), told(900e6)]).toEqual([[], []]);
    const usual = resumed(150e6, 10e6);
    expect(usual(0, HOUR)).toEqual([]);
    expect(usual(500e6)).toEqual([]); // in the hour before it sent 150 MB
    expect(usual(200e6)).toEqual(['upload: rclone sent 700 MB this hour; usual is 150 MB at most.']);
  });

  test('is no news while the app is learnt', () => {
    const watch = new Watching();
    watch.watchman.know(knownBaseline([{ app: 'rclone', recordedMs: HOUR }]));
    watch.tick();
    watch.watchman.sent('rclone', 5e9);
    expect(watch.tick()).toEqual([]);
  });
});

describe('beacon', () => {
  /** Calls at these intervals. @returns what was said */
  const calls = (intervals: readonly number[], fields: Partial<WatchFlow> = {}, domains: readonly string[] = ['example.com']) => {
    const watch = new Watching();
    watch.watchman.know(knownBaseline([{}], { curl: domains }));
    const sentences: string[] = [];
    for (const interval of [0, ...intervals]) {
      watch.time += interval - 1000;
      sentences.push(
        ...said(
          watch.meet(watchFlow({ domain: 'c2.example', host: 'c2.example', txBytes: 800, ...fields, firstSeen: watch.time })),
        ),
      );
    }
    return sentences.filter((text) => text.startsWith('beacon'));
  };
  const even = Array.from({ length: 20 }, (_, i) => 60_000 + (i % 3) * 400);

  test('says period and jitter, once', () => {
    expect(calls(even)).toEqual(['beacon: curl calls c2.example every 60 s, give or take 0.3 s.']);
  });

  test('is found again after the clock was set back', () => {
    expect(calls([...even.slice(0, 5), -3 * HOUR, ...even])).toHaveLength(1);
  });

  test('may miss a call', () => {
    expect(calls(even.map((ms, i) => (i === 4 ? 2 * ms : ms)))).toHaveLength(1);
  });

  test('is not raised for uneven calls, large ones, fast ones, time servers, or places known from before', () => {
    expect(calls(even.map((ms, i) => ms * (0.5 + ((i * 7) % 10) / 10)))).toEqual([]);
    expect(calls(even, { rxBytes: 1e6 })).toEqual([]);
    expect(calls(even.map(() => 2000))).toEqual([]);
    expect(calls(even, { remote: { address: '192.0.2.1', port: 123 } })).toEqual([]);
    expect(calls(even, {}, ['c2.example'])).toEqual([]);
    expect(calls(even, { isOutside: false })).toEqual([]);
    expect(calls(even, { direction: 'inbound' })).toEqual([]);
  });

  test('connections that begin together are one call', () => {
    expect(calls(even.flatMap((ms) => [ms - 20, 10, 10]))).toHaveLength(1);
  });

  test('is made of calls by name, although some are named late', () => {
    const watch = new Watching();
    watch.watchman.know(knownBaseline([{}]));
    for (let call = 0; call < 40; call++) {
      const named = watchFlow({ domain: 'c2.example', host: 'c2.example', hostNumber: 2, firstSeen: watch.time, txBytes: 800 });
      const isLate = call % 3 === 0;
      watch.watchman.began(isLate ? nameless({ hostNumber: 3, firstSeen: watch.time, txBytes: 60 }) : named);
      watch.tick();
      if (isLate) watch.watchman.renamed(named, named.appNumber, 3);
      watch.tick(59_000);
    }
    expect(said(watch.raised)).toEqual(['beacon: curl calls c2.example every 60 s, to within 0.1 s.']);
    expect(watch.raised[0]?.details[0]).toBe('12 calls so far; each of the last 12 moved at most 800 bytes');
  });

  test('is not what turns out to be large', () => {
    const watch = new Watching();
    watch.watchman.know(knownBaseline([{}]));
    for (let call = 0; call < 40; call++) {
      const flow = nameless({ firstSeen: watch.time, txBytes: 300 });
      watch.watchman.began(flow);
      watch.tick(20_000);
      watch.watchman.left({ ...flow, rxBytes: call < 20 ? 1e6 : 5000 });
      watch.tick(40_000);
    }
    expect(watch.raised.map(({ details }) => details[0])).toEqual(['35 calls so far; each of the last 15 moved at most 5.3 kB']);
  });

  test('follows many pairs at once', () => {
    const watch = new Watching();
    watch.watchman.know(knownBaseline([{}]));
    for (let round = 0; round < 13; round++) {
      for (let host = 1; host <= 2000; host++) watch.watchman.began(nameless({ hostNumber: host, firstSeen: watch.time + host }));
      watch.tick(60_000);
    }
    expect(watch.raised.filter(({ kind }) => kind === 'beacon').length).toBe(1); // one host text, so one cause
  });
});

describe('scan', () => {
  const tries = (count: number, at: (i: number) => Partial<WatchFlow>, everyMs = 100) => {
    const watch = new Watching();
    watch.watchman.know(knownBaseline([{}]));
    for (let i = 0; i < count; i++) {
      watch.watchman.began(nameless({ isAnswered: false, ...at(i), firstSeen: watch.time + i * everyMs }));
    }
    return said(watch.tick(count * everyMs + 1000)).filter((text) => text.startsWith('scan'));
  };
  const port = (i: number) => ({ remote: { address: '198.51.100.7', port: 1000 + i } });
  const host = (i: number, on = 22) => ({ hostNumber: 1 + i, remote: { address: '198.51.100.7', port: on } });
  const own = (i: number) => ({
    ...{ direction: 'inbound', app: null, appNumber: 9, isOutside: false },
    local: { address: '10.0.0.1', port: 1000 + i },
  });

  test('of ports, of hosts, and of this machine is raised once', () => {
    expect(tries(200, port)).toEqual([
      expect.stringMatching(
        /^scan: curl tried about \d+ ports on 198\.51\.100\.7 within a minute; all refused or did not answer\.$/,
      ),
    ]);
    expect(tries(200, (i) => host(i))).toEqual([
      expect.stringMatching(/^scan: curl tried port 22 on about \d+ hosts within a minute; all refused or did not answer\.$/),
    ]);
    expect(tries(60, own)).toEqual([
      expect.stringMatching(/^scan: 198\.51\.100\.7 tried about \d+ ports on this machine within a minute/),
    ]);
  });

  test('is not what has no answer yet when the tick comes', () => {
    const watch = new Watching();
    watch.watchman.know(knownBaseline([{}]));
    const calls = Array.from({ length: 120 }, (_, i) =>
      nameless({ ...host(i), app: 'pssh', isAnswered: false, firstSeen: watch.time + 900 }),
    );
    for (const call of calls) watch.watchman.began(call);
    expect(said(watch.tick())).toEqual([]);
    for (const call of calls.slice(0, 70)) watch.watchman.answered({ ...call, isAnswered: true });
    expect(said(watch.tick())).toEqual([]);
    const more = calls.map((call) => ({ ...call, firstSeen: watch.time }));
    for (const call of more) watch.watchman.began(call);
    expect(said(watch.tick())).toEqual([
      expect.stringMatching(/^scan: pssh tried port 22 on about \d+ hosts within a minute; 70 % refused or did not answer\.$/),
    ]);
  });

  test('from the internet is only for information', () => {
    const watch = new Watching();
    for (let i = 0; i < 60; i++) watch.watchman.began(nameless({ ...own(i), isOutside: true, isAnswered: false }));
    expect(watch.tick().map(({ kind, severity }) => `${kind} ${severity}`)).toEqual(['scan info']);
  });

  test('is not what answers, comes slowly, or what a browser does without a network', () => {
    expect(tries(200, (i) => ({ ...host(i), isAnswered: true }))).toEqual([]);
    expect(tries(200, port, 5000)).toEqual([]);
    expect(tries(100, (i) => host(i, 443))).toEqual([]);
    expect(tries(400, (i) => host(i, 443))).toHaveLength(1);
    expect(tries(200, (i) => ({ ...host(i, 6881), protocol: 'udp' }))).toEqual([]);
  });

  test('of a million ends keeps its few bits', () => {
    expect(
      tries(300_000, (i) => ({ hostNumber: i % 65_536, remote: { address: '192.0.2.1', port: i % 60_000 } }), 0.1).length,
    ).toBeLessThan(4);
  });
});

describe('dns-tunnel', () => {
  const resolver = { app: 'dig', remote: { address: '192.0.2.53', port: 53 }, protocol: 'udp' };
  const asks = (names: readonly string[]) => {
    const watch = new Watching();
    names.forEach((name, i) => {
      watch.watchman.asked(watchFlow({ ...resolver, firstSeen: watch.time + i, asked: { name, names: 1 } }));
      watch.time++;
    });
    return said(watch.tick());
  };
  const data = (i: number) => `${String(i).padStart(50, 'q')}.t.example.org`;

  test('counts long names under one domain', () => {
    expect(asks(Array.from({ length: 200 }, (_, i) => data(i)))).toEqual([
      'dns-tunnel: dig asked DNS for 60 long names under example.org within ten minutes.',
    ]);
  });

  test('counts what a flow asked between ticks', () => {
    const watch = new Watching();
    for (let i = 1; i < 4; i++) watch.watchman.asked(watchFlow({ ...resolver, asked: { name: data(i), names: i * 40 } }));
    expect(said(watch.tick())).toHaveLength(1);
  });

  test('does not count what a resolver asks in one flow between three long names', () => {
    const watch = new Watching();
    const ask = (name: string, names: number) => watch.watchman.asked(watchFlow({ ...resolver, asked: { name, names } }));
    for (let i = 1; i < 4; i++) {
      ask(data(i), i * 100);
      ask('www.example.com', i * 100 + 50);
    }
    expect(said(watch.tick())).toEqual([]);
  });

  test('leaves repeated, short and scattered names alone', () => {
    expect(asks(Array.from({ length: 200 }, (_, i) => data(i % 5)))).toEqual([]);
    expect(asks(Array.from({ length: 200 }, (_, i) => `h${i}.example.org`))).toEqual([]);
    expect(asks(Array.from({ length: 200 }, (_, i) => `${'q'.repeat(50)}.site${i}.example`))).toEqual([]);
  });
});

describe('losses', () => {
  const tick = (watch: Watching, fields: Partial<CaptureStatus>, ms = 60_000) =>
    said(watch.tick(ms, { capture: { ...CAPTURE, ...fields } }));

  test('of packets are raised from a hundredth on', () => {
    const watch = new Watching();
    tick(watch, { packets: 0, dropped: 0, shed: 0 });
    expect(tick(watch, { packets: 200_000, dropped: 1500, shed: 0 })).toEqual([]);
    expect(tick(watch, { packets: 300_000, dropped: 3500, shed: 500 })).toEqual([
      'capture-loss: 2 500 packets were lost in the last minute, 2 % of all.',
    ]);
  });

  test('are seen after the clock was set back, too', () => {
    const watch = new Watching();
    tick(watch, { packets: 0, dropped: 0, shed: 0 });
    tick(watch, { packets: 1, dropped: 0, shed: 0 }, -24 * HOUR);
    expect(tick(watch, { packets: 200_000, dropped: 50_000, shed: 0 })).toHaveLength(1);
  });

  test('are raised again after a clock that was far ahead', () => {
    const watch = new Watching();
    const lose = (dropped: number, ms?: number) => tick(watch, { packets: 200_000, dropped, shed: 0 }, ms);
    lose(0);
    expect(lose(50_000)).toHaveLength(1);
    lose(50_000, -3000 * HOUR);
    expect(lose(90_000)).toHaveLength(1);
  });

  test('of time are raised, but not sleep', () => {
    const watch = new Watching();
    const gap = { from: watch.time, to: watch.time + 30_000, reason: 'interface' as const, detail: 'eth0 is gone' };
    expect(said(watch.tick(1000, { gaps: [{ ...gap, reason: 'sleep' }] }))).toEqual([]);
    expect(said(watch.tick(1000, { gaps: [gap] }))).toEqual([
      'capture-loss: Nothing was captured for 30 s: the interface was away.',
    ]);
  });

  test('of history are raised once it was recorded and a minute passed', () => {
    const watch = new Watching();
    const history = { state: 'recording' as const, path: '/h', note: '', savedAt: null, fileBytes: null };
    const failing = { ...history, state: 'failing' as const, note: 'the disk is full' };
    expect(tick(watch, { history: failing })).toEqual([]);
    tick(watch, { history });
    expect(tick(watch, { history: failing }, 1000)).toEqual([]);
    expect(tick(watch, { history: failing })).toEqual([
      'recorder-stopped: History has not been recorded for 60 s: the disk is full.',
    ]);
    expect(tick(watch, { history: failing })).toEqual([]);
  });

  test('of history are raised although the clock is set back', () => {
    const watch = new Watching();
    const history = { state: 'recording' as const, path: '/h', note: '', savedAt: null, fileBytes: null };
    const failing = { ...history, state: 'failing' as const, note: 'the disk is full' };
    tick(watch, { history });
    tick(watch, { history: failing });
    tick(watch, { history: failing }, -24 * HOUR);
    expect(tick(watch, { history: failing })).toHaveLength(1);
  });
});
