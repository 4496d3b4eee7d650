import { describe, expect, it } from 'vitest';
import { captureError, DriverUnavailable, permissionHint, unknownDevice } from '../../../src/capture/errors.ts';

const DEVICES = ['lo', 'eth0', 'en0'];
const at = (device: string, bpf: string | null = null) => ({ device, bpf, devices: DEVICES });

describe('captureError', () => {
  it.each([
    ['(cannot open BPF device) /dev/bpf0: Permission denied'],
    ['Attempt to open /dev/bpf0 failed - root privileges may be required'],
    ['ioctl(SIOCIFCREATE): Operation not permitted'],
    ['socket: Operation not permitted'],
    ['Attempt to create packet socket failed - CAP_NET_RAW may be required'],
    ['tcpdump: ioctl(SIOCIFCREATE): Operation not permitted\n'],
    [
      "tcpdump: en0: You don't have permission to capture on that device\n((cannot open BPF device) /dev/bpf0: Permission denied)",
    ],
  ])('%j is a matter of rights', (text) => {
    const error = captureError(text, at('en0', 'tcp'));
    expect([error.code, error.exitStatus]).toEqual(['permission', 3]);
    expect(error.hint).toMatch(/sudo/);
    expect(error.message).toContain('en0');
    expect(error.message).not.toContain('\n');
  });

  it.each([
    ['No such device exists'],
    ['BIOCSETIF: en9: Device not configured'],
    ['Warning: SIOCGIFADDR: en9: No such device - This may not actually work\nNo such device exists'],
    ['tcpdump: en9: No such device exists\n(SIOCGIFHWADDR: No such device)'],
  ])('%j is an interface that does not exist, and names those that do', (text) => {
    const error = captureError(text, at('en9'));
    expect([error.code, error.message]).toEqual(['no-device', 'no such interface: en9 (there are: lo, eth0, en0)']);
  });

  it('a list of interfaces in one word says how several are named', () => {
    expect(unknownDevice('lo,en0', DEVICES).hint).toBe('type: netmon-tui -i lo -i en0');
    expect(unknownDevice('lo,en9', DEVICES).hint).toBe('type: netmon-tui interfaces');
  });

  it.each([
    ["can't parse filter expression: syntax error"],
    ['syntax error in filter expression: syntax error'],
    ['tcpdump: illegal token: @\n'],
    ["unknown host 'nowhere.invalid'"],
    ['expression rejects all packets'],
  ])('%j is a bad filter', (text) => {
    const error = captureError(text, at('eth0', 'tcp prot 1'));
    expect([error.code, error.exitStatus]).toEqual(['bad-filter', 5]);
    expect(error.message).toContain('tcp prot 1');
  });

  it('never blames a filter that was not given', () => {
    expect(captureError('syntax error', at('eth0')).code).toBe('no-device');
  });

  it('tells a device that is down and one that is busy from one that is not there', () => {
    expect(captureError('That device is not up', at('eth0')).message).toBe('interface eth0 is down');
    expect(captureError('(all BPF devices are busy)', at('en0')).message).toMatch(/no free capture device/);
    expect(captureError('BIOCPROMISC: Operation not supported', at('en0')).message).toBe(
      "can't capture on en0: BIOCPROMISC: Operation not supported",
    );
  });

  it('does not say "no such interface" of one that exists', () => {
    expect(captureError('No such device exists', at('eth0')).message).toBe("can't capture on eth0: No such device exists");
  });

  it('has something to say about nothing', () => {
    expect(captureError('', at('')).message).toBe("can't capture on the capture device: no reason was given");
  });

  it('strips what could drive a terminal', () => {
    const error = captureError('\u001b[31mbad\u0007', at('e\u001b]0;x\u0007n'));
    expect(error.message).not.toMatch(/[\u0000-\u001f]/);
    expect(unknownDevice('\u009b1m', ['\u001bc']).message).not.toMatch(/[\u0000-\u001f\u0080-\u009f]/);
  });
});

describe('hints', () => {
  it('carries PATH along only where sudo would not find node', () => {
    expect(permissionHint('/usr/local/bin')).toBe('type: sudo netmon-tui');
    expect(permissionHint('/home/u/.nvm/versions/node/v20/bin')).toBe('type: sudo env "PATH=$PATH" netmon-tui');
  });

  it('marks a driver that can not run apart from a device that is missing', () => {
    const error = new DriverUnavailable('libpcap is not installed');
    expect([error.code, error.name, error instanceof Error]).toEqual(['no-device', 'DriverUnavailable', true]);
  });
});
