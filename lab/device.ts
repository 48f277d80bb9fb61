import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { DEVICE_NAME, goodCertificate, type KeyAndCertificate, type LabCertificates } from './certificates.ts';
import { handleApi, redirectToHttps } from './device-api.ts';
import { hardenedSettings } from './device-settings.ts';
import type { DeviceState } from './device-state.ts';
import { openDoor, type Door } from './door.ts';
import { tlsOptions } from './tls-settings.ts';

const IDLE_MS = 30_000;
const MAX_GUESSES = 3;

export type Device = {
  readonly state: DeviceState;
  readonly admin: Door;
  readonly adminClear: Door;
  readonly telnet: Door;
  readonly debug: Door;
  /** Brings ports and certificate in line with the state. */
  readonly refresh: () => Promise<void>;
};

/** Starts the medical-device gateway, hardened. */
export async function startDevice(options: {
  certificates: LabCertificates;
  now: () => Date;
  ports: { ldaps: number; emr: number };
  users: ReadonlyMap<string, string>;
}): Promise<Device> {
  const { certificates } = options;
  const state: DeviceState = {
    settings: hardenedSettings(options.ports),
    users: new Map(options.users),
    anchorPem: certificates.hospitalRoot,
    certificate: goodCertificate(),
  };
  const api: RequestListener = (request, response) => {
    void handleApi(request, response, {
      state,
      keys: certificates.deviceClient,
      crlPem: certificates.crlPem,
      now: options.now,
      refresh: () => device.refresh(),
    });
  };
  const face = async (): Promise<KeyAndCertificate> =>
    state.installed ?? (await certificates.server([DEVICE_NAME], state.certificate));
  let shown = await face();
  let https = httpsServer(shown, api);
  const admin = await openDoor((socket) => https.emit('connection', patient(socket)));
  const clearHttp: HttpServer = createHttpServer((request, response) => {
    if (state.settings.services.clearHttp === 'redirect') redirectToHttps(request, response, DEVICE_NAME, admin.port);
    else api(request, response);
  });
  const adminClear = await openDoor((socket) => clearHttp.emit('connection', patient(socket)));
  const telnet = await openDoor((socket) => greetConsole(patient(socket)));
  const debug = await openDoor((socket) => patient(socket).end('MDIP debug 3.3.1\r\n'));
  const device: Device = {
    state,
    admin,
    adminClear,
    telnet,
    debug,
    refresh: async () => {
      const next = await face();
      if (next !== shown) {
        shown = next;
        https = httpsServer(shown, api);
      }
      await telnet.setOpen(state.settings.services.telnet);
      await debug.setOpen(state.settings.services.debug);
    },
  };
  await device.refresh();
  return device;
}

function httpsServer(face: KeyAndCertificate, api: RequestListener): HttpsServer {
  const server = createHttpsServer(tlsOptions({ ...face, oldVersions: false }), api);
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

function patient(socket: Socket): Socket {
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  return socket;
}

/** A console in clear, as such devices have it: it asks for a name and a password and lets nobody in. */
function greetConsole(socket: Socket): void {
  let lines = 0;
  let pending = 0;
  socket.write('\r\nMDIP 3.3.1 service console\r\nlogin: ');
  socket.on('data', (chunk: Buffer) => {
    pending += chunk.length;
    if (!chunk.includes(0x0a) && pending < 1024) return;
    pending = 0;
    lines += 1;
    if (lines === 2 * MAX_GUESSES) socket.end('\r\nLogin incorrect\r\n');
    else socket.write(lines % 2 === 1 ? 'Password: ' : '\r\nLogin incorrect\r\nlogin: ');
  });
}
