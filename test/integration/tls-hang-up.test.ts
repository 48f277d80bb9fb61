import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { tlsEndpointProbe } from '../../engine/probes/tls-endpoint.ts';
import { offeredVersions } from '../../engine/wire/tls/offered-versions.ts';
import { startPeer } from '../support/daemon.ts';
import { isRoot, needs } from '../support/debian.ts';
import { factsOf, probeContext } from '../support/probe.ts';
import { SAMBA_PROGRAMS, type SambaServer, startSamba } from '../support/samba.ts';

const HARDENED = ['tls priority = SECURE128:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3'];

async function withSamba(globals: readonly string[], work: (server: SambaServer) => Promise<void>): Promise<void> {
  const server = await startSamba({ globals });
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

const context = (server: SambaServer, address = server.address) =>
  probeContext({ site: { hosts: { [server.host]: address }, anchors: [{ id: 'root', pem: server.caPem }] } });

// GnuTLS hangs up without an alert where it is offered only what it does not accept.
describe.skipIf(!isRoot() || !needs(...SAMBA_PROGRAMS))('tls.endpoint against a Samba domain controller', () => {
  it('decides every version of a hardened one, on LDAPS and behind StartTLS', async () => {
    await withSamba(HARDENED, async (server) => {
      for (const way of [{ port: 636 }, { port: 389, starttls: 'ldap' }]) {
        const { facts } = await factsOf(tlsEndpointProbe, { endpoint: { host: server.host, ...way } }, context(server));
        expect(facts.accepts, `port ${way.port}`).toEqual({
          ssl30: false,
          tls10: false,
          tls11: false,
          tls12: true,
          tls13: true,
        });
        expect(facts.acceptsWeakSuite).toBe(false);
        expect(facts.chain.trusted).toBe(true);
      }
    });
  });

  it('finds the old versions of one as shipped', async () => {
    await withSamba([], async (server) => {
      const { facts } = await factsOf(
        tlsEndpointProbe,
        { endpoint: { host: server.host, port: 636 } },
        context(server),
      );
      expect(facts.accepts).toMatchObject({ tls10: true, tls11: true, tls12: true });
    });
  });

  it('leaves open what a server was asked while it did not answer its controls', async () => {
    await withSamba(HARDENED, async (server) => {
      // Between us and the server sits something that hangs up for good at the first old offer.
      let dead = false;
      const relay = await startPeer((socket: Socket) => {
        if (dead) return void socket.end();
        socket.once('data', (first: Buffer) => {
          dead = !offeredVersions(first).some((version) => version === 'TLS 1.2' || version === 'TLS 1.3');
          if (dead) return void socket.end();
          const onward = connect({ host: server.address, port: 636 });
          onward.on('error', () => socket.destroy());
          onward.write(first);
          socket.pipe(onward).pipe(socket);
        });
      });
      try {
        const { facts, absent } = await factsOf(
          tlsEndpointProbe,
          { endpoint: { host: server.host, port: relay.port } },
          context(server, '127.0.0.1'),
        );
        expect(facts.accepts).toEqual({ tls12: true, tls13: true });
        expect(absent.map((fact) => fact.path)).toEqual(
          expect.arrayContaining(['accepts.tls11', 'accepts.tls10', 'accepts.ssl30', 'acceptsWeakSuite']),
        );
      } finally {
        await relay.stop();
      }
    });
  });
});
