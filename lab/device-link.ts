import { connect } from 'node:tls';
import type { KeyAndCertificate } from './certificates.ts';
import type { DeviceSettings } from './device-settings.ts';
import { acknowledgementCode, frame, readFrames, syntheticMessage } from './mllp.ts';

const CONNECT_MS = 5_000;
const ACK_MS = 3_000;

export type TestResult = { readonly sent: boolean; readonly ack?: string; readonly error?: string };

/** Loopback address that the device dials for a host; undefined where the practice device does not go there. */
export function loopbackAddress(host: string): string | undefined {
  if (/^127(?:\.\d{1,3}){3}$/.test(host)) return host;
  return host === 'localhost' || /^[a-z0-9-]+\.hospital\.example$/i.test(host) ? '127.0.0.1' : undefined;
}

/**
 * The device's own EMR link: TLS with its client certificate to `target`, one synthetic message if, and only if, its
 * verification (where that is switched on) accepts the server.
 */
export function sendTestMessage(
  target: { address: string; port: number },
  link: DeviceSettings['emrLink'],
  keys: KeyAndCertificate,
  trust: { readonly anchorPem: string; readonly crlPem: string },
  now: Date,
): Promise<TestResult> {
  return new Promise((resolve) => {
    let sent = false;
    const socket = connect({
      host: target.address,
      port: target.port,
      servername: link.serverName,
      ca: trust.anchorPem,
      crl: trust.crlPem,
      minVersion: 'TLSv1.2',
      // The simulated device's own setting: switching it off is the fault that the impostor trial finds.
      rejectUnauthorized: link.verifyServer,
      ...(link.clientCertificate ? { cert: keys.certificatePem, key: keys.keyPem } : {}),
    });
    const finish = (result: TestResult): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => finish({ sent: false, error: 'no TLS connection in time' }), CONNECT_MS);
    socket.on('secureConnect', () => {
      sent = true;
      socket.write(frame(syntheticMessage(now)));
      clearTimeout(timer);
      setTimeout(() => finish({ sent, error: 'no ACK in time' }), ACK_MS).unref();
    });
    readFrames(socket, (message) =>
      finish({
        sent,
        ack: acknowledgementCode(message) ?? '',
        ...(acknowledgementCode(message) === 'AA' ? {} : { error: 'not acknowledged' }),
      }),
    );
    socket.on('error', (error) => finish({ sent, error: error.message }));
    socket.on('close', () => finish({ sent, error: 'the connection closed without an ACK' }));
  });
}
