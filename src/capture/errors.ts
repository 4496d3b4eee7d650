// Turns the error texts of libpcap, cap and tcpdump into NetmonErrors. It opens nothing.

import { NetmonError } from '../model/errors.ts';
import { sanitize } from '../net/text.ts';

/** The attempt that produced the text. */
export interface CaptureAttempt {
  /** The device; empty for all of them. */
  readonly device: string;
  /** The user's filter, or null. */
  readonly bpf: string | null;
  /** Existing devices, for the message about an unknown one. */
  readonly devices: readonly string[];
}

/**
 * A driver that cannot run on this machine at all: library absent, package not built, other platform.
 *
 * Not the same as a missing interface: the next driver may work.
 */
export class DriverUnavailable extends NetmonError {
  constructor(message: string, hint: string | null = null, cause?: unknown) {
    super('no-device', message, hint, cause);
    this.name = 'DriverUnavailable';
  }
}

// The texts are those of libpcap 1.8 to 1.10.6, Apple's libpcap, cap 0.2.1 and tcpdump 4.9 to 4.99; the tests hold them.
const PERMISSION = /permission|not permitted|privileges|CAP_NET_RAW|requires? root/i;
const NO_DEVICE = /no such device|device not configured|SIOCGIFHWADDR|SIOCGIFINDEX|interface disappeared/i;
const NOT_UP = /device is not up|network is down/i;
const BUSY = /all BPF devices are busy|resource busy/i;
const BAD_FILTER =
  /filter expression|syntax error|illegal (token|char)|unknown (host|network|port|protocol|ether|osi)|expression rejects all|parse error|not supported on (this )?link|only supported|supported only|can't (parse|resolve)|too (large|complex) to/i;

/** Sudo resets PATH to about this; a node that lives elsewhere is not found under it. */
const SUDO_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * The command that captures with the necessary rights.
 *
 * @param nodeFolder folder of the running node; sudo needs PATH when it is outside of sudo's own
 */
export function permissionHint(nodeFolder = process.execPath.replace(/\/[^/]*$/, '')): string {
  return SUDO_PATH.includes(nodeFolder) ? 'type: sudo netmon-tui' : 'type: sudo env "PATH=$PATH" netmon-tui';
}

/** The failure of a device that does not exist; the message lists those that do. */
export function unknownDevice(device: string, devices: readonly string[], cause?: unknown): NetmonError {
  const shown = devices.map((name) => sanitize(name)).slice(0, 40);
  const list = shown.length === 0 ? 'none is visible' : shown.join(', ');
  const several = device.split(',');
  const isList = several.length > 1 && several.every((name) => devices.includes(name));
  return new NetmonError(
    'no-device',
    `no such interface: ${sanitize(device)} (there are: ${list})`,
    isList ? `type: netmon-tui ${several.map((name) => `-i ${sanitize(name)}`).join(' ')}` : 'type: netmon-tui interfaces',
    cause,
  );
}

/** The failure of a capture filter that libpcap can't compile, in libpcap's words. */
export function badFilter(bpf: string, said: string): NetmonError {
  return new NetmonError('bad-filter', `capture filter "${sanitize(bpf)}": ${sanitize(said)}`, 'see: man 7 pcap-filter');
}

/** The failure of a capture filter that can't be compiled for the link type of some interfaces. @param where such an interface */
export function misfitFilter(bpf: string, where: string, said: string): NetmonError {
  return new NetmonError(
    'bad-filter',
    `capture filter "${sanitize(bpf)}" does not work on ${sanitize(where)}: ${sanitize(said) || "libpcap can't compile it"}`,
    'choose interfaces it works on, for example: --interface en0',
  );
}

/**
 * The error for a capture library's text.
 *
 * Permission is looked for first: without rights some systems hide whether the device is there.
 */
export function captureError(text: string, attempt: CaptureAttempt): NetmonError {
  const said = lastTelling(text);
  const device = attempt.device === '' ? 'the capture device' : sanitize(attempt.device);
  if (PERMISSION.test(said))
    return new NetmonError('permission', `no permission to capture on ${device}: ${said}`, permissionHint());
  const exists = attempt.devices.includes(attempt.device);
  if (NOT_UP.test(said)) {
    return new NetmonError('no-device', `interface ${device} is down`, 'bring it up, or choose another: netmon-tui interfaces');
  }
  if (NO_DEVICE.test(said) && attempt.device !== '' && !exists) return unknownDevice(attempt.device, attempt.devices, text);
  if (attempt.bpf !== null && BAD_FILTER.test(said)) {
    return badFilter(attempt.bpf, said);
  }
  if (BUSY.test(said)) {
    return new NetmonError(
      'no-device',
      `no free capture device for ${device}: ${said}`,
      'end another program that captures, then try again',
    );
  }
  return new NetmonError('no-device', `can't capture on ${device}: ${said}`, 'type: netmon-tui doctor');
}

/** The most telling line of an error text, without warnings and tcpdump's prefix. */
function lastTelling(text: string): string {
  const lines = text
    .slice(0, 4096)
    .split('\n')
    .map((line) => sanitize(line.replace(/^tcpdump: /, '')).trim())
    .filter((line) => line !== '' && !/^warning:|^data link type|^listening on|packets? (captured|received|dropped)/i.test(line));
  const telling = lines.find(
    (line) => PERMISSION.test(line) || NO_DEVICE.test(line) || NOT_UP.test(line) || BAD_FILTER.test(line),
  );
  return telling ?? lines.at(-1) ?? 'no reason was given';
}
