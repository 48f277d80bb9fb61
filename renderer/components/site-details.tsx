import type { ReactNode } from 'react';
import type { SiteView } from '../../core/ipc.ts';
import { count, showDate } from '../lib/format.ts';
import { PracticeBadge } from './badge.tsx';
import { Fingerprint } from './fingerprint.tsx';
import { Card, Eyebrow, Facts } from './layout.tsx';
import { SitePicture } from './site-picture.tsx';

/** Everything that a site file says, as a person checks it. */
export function SiteDetails({ site }: { site: SiteView }) {
  return (
    <Card
      title={site.name}
      aside={
        <>
          <span className="font-mono text-xs text-faint">{site.id}</span>
          {site.practice ? <PracticeBadge /> : null}
        </>
      }
      flush
    >
      <div className="divide-y divide-line">
        <Part title="Links">
          <SitePicture site={site} />
        </Part>
        <Part title="Directory">
          {site.directory === undefined ? (
            <p className="text-sm text-soft">
              The site names no directory. Controls about people and groups will not apply.
            </p>
          ) : (
            <Facts
              rows={[
                ['Kind', site.directory.kind === 'active-directory' ? 'Active Directory' : 'LDAP directory'],
                ['Base DN', <Mono key="b">{site.directory.baseDn}</Mono>],
                ['Servers', <Mono key="s">{site.directory.servers.join(', ')}</Mono>],
                ['Bind account', <Mono key="a">{site.directory.bindAccount}</Mono>],
              ]}
            />
          )}
        </Part>
        <Part title={count(site.roles.length, 'role group')}>
          <Pairs rows={site.roles.map((role) => [role.id, role.name, role.group])} none="No roles." />
        </Part>
        <Part title={count(site.devices.length, 'device')}>
          <Pairs rows={site.devices.map((device) => [device.id, device.name, device.host])} none="No devices." />
        </Part>
        <Part title={count(site.anchors.length, 'trust anchor')}>
          {site.anchors.length === 0 ? (
            <p className="text-sm text-soft">No anchors: no certificate can be checked.</p>
          ) : (
            <ul className="grid gap-3">
              {site.anchors.map((anchor) => (
                <li key={anchor.id} className="text-sm">
                  <span className="font-medium">{anchor.subject}</span>
                  <span className="text-soft"> · valid until {showDate(anchor.notAfter)}</span>
                  <span className="block text-soft">
                    <Fingerprint hex={anchor.sha256} />
                  </span>
                </li>
              ))}
            </ul>
          )}
        </Part>
      </div>
    </Card>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="grid gap-2 px-4 py-3.5">
      <Eyebrow>{title}</Eyebrow>
      {children}
    </section>
  );
}

function Pairs({ rows, none }: { rows: readonly (readonly [string, string, string])[]; none: string }) {
  if (rows.length === 0) return <p className="text-sm text-soft">{none}</p>;
  return (
    <ul className="grid gap-1 text-sm">
      {rows.map(([id, name, detail]) => (
        <li key={id} className="grid grid-cols-2 gap-4">
          <span className="font-medium">{name}</span>
          <Mono>{detail}</Mono>
        </li>
      ))}
    </ul>
  );
}

function Mono({ children }: { children: ReactNode }) {
  return <span className="font-mono text-xs leading-5 break-words select-text">{children}</span>;
}
