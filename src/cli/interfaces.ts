// `netmon-tui interfaces`: the interfaces that can be watched, as a table or as JSON lines. Needs no privileges.

import type { Device } from '../capture/devices/devices.ts';
import { sanitize } from '../net/text.ts';
import { fixed, flexible, LIST_WIDTHS, sheetOf, type TextStyle, tableLines } from '../output/text-table.ts';

/** The list as a table. `*` marks the interface of the default route. */
export function interfacesText(devices: readonly Device[], style: TextStyle): string {
  const sheet = sheetOf(style, LIST_WIDTHS);
  if (devices.length === 0) return 'no interfaces found\n';
  const longest = Math.max(...devices.map((device) => device.name.length), 4);
  const list = [
    fixed<Device>(' ', 1, 'left', (device) => (device.isDefault ? '*' : ' ')),
    fixed<Device>('name', Math.min(longest, 32), 'left', (device) => device.name),
    fixed<Device>('state', 7, 'left', stateOf),
    fixed<Device>('kind', 8, 'left', (device) => device.kind),
    fixed<Device>('link', 11, 'left', (device) => device.linkType ?? '-'),
    flexible<Device>('addresses', 9, 1, (device) => device.addresses.join(' ')),
  ];
  const lines = tableLines(list, devices, sheet);
  const route = devices.find((device) => device.isDefault);
  lines.push('', sheet.paint.dim(route === undefined ? 'no default route' : '* carries the default route'));
  return `${lines.join('\n')}\n`;
}

/** The list as JSON, one object per line. */
export function interfacesJson(devices: readonly Device[]): string {
  return devices
    .map((device) => {
      const { name, index, up, running, kind, addresses, linkType, isDefault } = device;
      const fields = {
        type: 'interface',
        schema: 1,
        name: sanitize(name),
        index,
        up,
        running,
        kind,
        addresses,
        link_type: linkType,
        default: isDefault,
      };
      return `${JSON.stringify(fields)}\n`;
    })
    .join('');
}

function stateOf({ up, running }: Device): string {
  if (!up) return 'down';
  return running === false ? 'no link' : 'up';
}
