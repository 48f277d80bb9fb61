import { tcpPorts } from '../../core/probes/tcp-ports.ts';
import { fail, ok } from '../../core/result.ts';
import { defineProbe } from '../context.ts';
import { dial } from '../wire/tcp.ts';

// Long enough for one repeated SYN, so that a single lost packet does not make a port look filtered.
const PORT_TIMEOUT_MS = 1_800;

export const tcpPortsProbe = defineProbe(tcpPorts, async ({ host, ports }, context) => {
  const [open, closed, filtered]: [number[], number[], number[]] = [[], [], []];
  const tested = [...new Set(ports)];
  for (const port of tested) {
    context.progress(`Port ${port} of ${host}`);
    const dialled = await context.connection(host, () =>
      dial(host, port, { hosts: context.site.hosts, signal: context.signal, timeoutMs: PORT_TIMEOUT_MS }),
    );
    if (dialled.ok) {
      dialled.value.on('error', () => {});
      dialled.value.destroy();
      open.push(port);
    } else if (dialled.error.code === 'tcp.refused') closed.push(port);
    else if (dialled.error.code === 'tcp.timeout' || dialled.error.code === 'tcp.unreachable') filtered.push(port);
    // A reset before the connection stood is a refusal in other words.
    else if (dialled.error.code === 'tcp.reset') closed.push(port);
    else return dialled;
  }
  if (open.length + closed.length === 0) {
    return fail(
      'tcp.timeout',
      'The host answered on none of the ports; it may be off, or out of reach from here, so nothing can be said about them.',
      { place: host },
    );
  }
  return ok({ kind: 'facts', facts: { host, tested, open, closed, filtered }, absent: [] });
});
