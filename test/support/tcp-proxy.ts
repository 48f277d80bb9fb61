import net from 'node:net';

export type RecordingProxy = {
  readonly port: number;
  /** Every byte that the client sent, over all connections, in order. */
  readonly sent: () => Buffer;
  readonly connections: () => number;
  readonly close: () => Promise<void>;
};

/**
 * A TCP relay that keeps what the client sends. `answer` may take a connection's first bytes over: what it returns goes
 * back instead of the server's answer, `hang` says nothing ever.
 */
export async function startRecordingProxy(
  address: string,
  target: { host: string; port: number },
  answer?: (first: Buffer) => Buffer | 'hang' | 'pass',
): Promise<RecordingProxy> {
  const chunks: Buffer[] = [];
  const sockets = new Set<net.Socket>();
  let connections = 0;
  const server = net.createServer((client) => {
    connections += 1;
    sockets.add(client);
    client.on('error', () => {});
    let upstream: net.Socket | undefined;
    let taken = false;
    client.on('data', (chunk) => {
      chunks.push(chunk);
      if (taken) return;
      if (upstream === undefined) {
        const reply = answer?.(chunk) ?? 'pass';
        if (reply !== 'pass') {
          taken = true;
          if (reply !== 'hang') client.write(reply);
          return;
        }
        upstream = net.connect(target);
        sockets.add(upstream);
        upstream.on('error', () => client.destroy());
        upstream.on('close', () => client.destroy());
        upstream.on('data', (bytes) => client.write(bytes));
        client.on('close', () => upstream?.destroy());
      }
      upstream.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    sent: () => Buffer.concat(chunks),
    connections: () => connections,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
