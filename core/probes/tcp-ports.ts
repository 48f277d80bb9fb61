import { z } from 'zod';
import { endpointSchema } from '../site/schema.ts';
import { declareProbe } from './declaration.ts';

const port = endpointSchema.shape.port;
const ports = z.array(port).max(200);

/** Which of the named TCP ports answer, by connecting and closing at once. */
export const tcpPorts = declareProbe({
  id: 'tcp.ports',
  title: 'Open TCP ports',
  version: 1,
  params: z.strictObject({
    host: endpointSchema.shape.host,
    ports: ports.min(1).describe('Ports to try, in this order; never a range sweep'),
  }),
  facts: z.strictObject({
    host: z.string().describe('Host as the site names it'),
    tested: ports.describe('Ports that were tried'),
    open: ports.describe('The connection was accepted'),
    closed: ports.describe('The connection was refused'),
    filtered: ports.describe('No answer: dropped on the way, or the host does not answer there'),
  }),
  visible: ({ host, ports }) => [
    `One TCP connection to each of ${ports.length} ports of ${host}, one at a time, closed at once and without data.`,
  ],
  rights: 'none',
  deadlineMs: 420_000,
});
