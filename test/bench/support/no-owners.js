// Preloaded into the program by the attribution bench: the kernel's source of owners is one that does nothing, so that what is left is
// what the same traffic costs without attribution. `node --import .../no-owners.js bin/netmon-tui.js ...`

import { register } from 'node:module';

const SOURCE = `
  export const openEbpf = () => ({ kind: 'none', note: '', everyProtocol: true, admit() {}, work() {}, close() {} });
  export const ebpfRefusal = String;
`;
const HOOKS = `
  export async function load(url, context, next) {
    if (!url.endsWith('/identify/process/linux/ebpf/open.js')) return next(url, context);
    return { format: 'module', shortCircuit: true, source: ${JSON.stringify(SOURCE)} };
  }
`;

register(`data:text/javascript,${encodeURIComponent(HOOKS)}`);
