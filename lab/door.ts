import { randomInt } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';

/** A listening port on loopback that can be shut and opened again at the same number. */
export type Door = {
  readonly port: number;
  readonly isOpen: () => boolean;
  /** Shut: refuses connections and drops those it has. */
  readonly setOpen: (open: boolean) => Promise<void>;
  /** Connections accepted since the start. */
  readonly accepted: () => number;
};

const MAX_CONNECTIONS = 200;
const REOPEN_ATTEMPTS = 20;
const ADDRESS = '127.0.0.1';
// Below what systems hand out for outgoing connections (Linux from 32768, Windows and macOS from 49152, RFC 6335): a door
// that is shut must not be answered by whoever was given its number meanwhile.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const PORT_ATTEMPTS = 50;

/** Opens a free port of 127.0.0.1 and hands every connection to `greet`. Errors on a socket end that socket only. */
export async function openDoor(greet: (socket: Socket) => void): Promise<Door> {
  const sockets = new Set<Socket>();
  let count = 0;
  let server: Server | undefined;
  const listen = async (port: number): Promise<number> => {
    const next = createServer((socket) => {
      count += 1;
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      greet(socket);
    });
    next.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      next.once('error', reject);
      next.listen(port, ADDRESS, resolve);
    });
    server = next;
    const address = next.address();
    if (address === null || typeof address === 'string') throw new Error('the practice hospital got no port');
    return address.port;
  };
  const port = await listenOutsideEphemeral(listen);
  return {
    port,
    isOpen: () => server !== undefined,
    accepted: () => count,
    setOpen: async (open) => {
      if (open === (server !== undefined)) return;
      if (!open) {
        const closing = server;
        server = undefined;
        for (const socket of sockets) socket.destroy();
        await new Promise<void>((resolve) => (closing === undefined ? resolve() : closing.close(() => resolve())));
        return;
      }
      for (let attempt = 1; ; attempt += 1) {
        try {
          await listen(port);
          return;
        } catch (error) {
          // Another program's outgoing connection may hold the number for a moment.
          if (attempt === REOPEN_ATTEMPTS) throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    },
  };
}

/** Takes a free port that no system hands out by itself. */
async function listenOutsideEphemeral(listen: (port: number) => Promise<number>): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await listen(randomInt(LOWEST, HIGHEST));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}
