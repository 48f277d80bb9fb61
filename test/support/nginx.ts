import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, freePort, startDaemon } from './daemon.ts';

export type NginxServer = {
  readonly certificate?: string;
  readonly key?: string;
  /** Directives of the server block. */
  readonly directives?: readonly string[];
  /** Sockets it may have at a time, those it listens on included; default: few. */
  readonly sockets?: number;
  /** With a master process, which is what reads the files again at SIGHUP. */
  readonly reloads?: boolean;
};

/** Starts nginx with one server on a free loopback port; TLS where a certificate is given. */
export async function startNginx(
  server: NginxServer,
): Promise<{ port: number; folder: string; daemon: Daemon; stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-nginx-'));
  const port = await freePort();
  for (const part of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) await mkdir(join(folder, part));
  const tls =
    server.certificate === undefined
      ? []
      : [`ssl_certificate ${server.certificate};`, `ssl_certificate_key ${server.key};`];
  const conf = [
    `daemon off; master_process ${server.reloads === true ? 'on; user root; worker_processes 1' : 'off'};`,
    `pid ${folder}/pid;`,
    `events { worker_connections ${server.sockets ?? 64}; }`,
    'http {',
    `  access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;`,
    '  server {',
    `    listen 127.0.0.1:${port}${server.certificate === undefined ? '' : ' ssl'};`,
    ...tls,
    ...(server.directives ?? []),
    '    location / { default_type application/json; return 200 \'{"product":"test","version":"3.3.1"}\'; }',
    '  }',
    '}',
  ];
  await writeFile(join(folder, 'nginx.conf'), conf.join('\n'));
  const daemon = await startDaemon('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
    address: '127.0.0.1',
    port,
  });
  return {
    port,
    folder,
    daemon,
    stop: async () => {
      await daemon.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
