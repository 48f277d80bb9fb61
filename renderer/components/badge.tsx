import { BadgeCheck, Building2, CircleHelp, Factory, Handshake, type LucideIcon, ShieldOff } from 'lucide-react';
import type { ReactNode } from 'react';
import type { GuideTrust } from '../../core/ipc.ts';
import type { Owner } from '../../core/session/events.ts';
import { OWNER_WORDS } from '../lib/words.ts';

/** A small label. */
export function Badge({
  icon: Icon,
  tone = 'idle',
  children,
  title,
}: {
  icon?: LucideIcon;
  tone?: 'idle' | 'accent' | 'pass' | 'error' | 'practice';
  children: ReactNode;
  title?: string;
}) {
  const tones = {
    idle: 'bg-idle-tint text-idle',
    accent: 'bg-tint text-link',
    pass: 'bg-pass-tint text-pass',
    error: 'bg-error-tint text-error',
    practice: 'bg-practice text-on-practice',
  };
  return (
    <span
      title={title}
      className={`inline-flex h-5 shrink-0 items-center gap-1 rounded-sm px-1.5 text-2xs font-semibold ${tones[tone]}`}
    >
      {Icon === undefined ? null : <Icon aria-hidden className="size-3" strokeWidth={2.25} />}
      {children}
    </span>
  );
}

const OWNERS: Readonly<Record<Owner, LucideIcon>> = { manufacturer: Factory, hospital: Building2, shared: Handshake };

/** Who owns a control. */
export function OwnerBadge({ owner }: { owner: Owner }) {
  return (
    <Badge icon={OWNERS[owner]} tone="idle">
      <span className="sr-only">Owner: </span>
      {OWNER_WORDS[owner]}
    </Badge>
  );
}

export const TRUST: Readonly<
  Record<GuideTrust, { word: string; tone: 'pass' | 'error' | 'idle'; icon: LucideIcon; means: string }>
> = {
  trusted: {
    word: 'Trusted',
    tone: 'pass',
    icon: BadgeCheck,
    means: 'Signed by a publisher you trust. Changes are allowed.',
  },
  untrusted: {
    word: 'Untrusted',
    tone: 'error',
    icon: CircleHelp,
    means: 'Signed, by a publisher you have not trusted yet. It runs read-only.',
  },
  unsigned: {
    word: 'Unsigned',
    tone: 'error',
    icon: ShieldOff,
    means: 'Nobody signed it. It runs read-only, and the bundle says so.',
  },
};

/** Whether the guide's publisher is trusted. */
export function TrustBadge({ trust }: { trust: GuideTrust }) {
  const { word, tone, icon, means } = TRUST[trust];
  return (
    <Badge icon={icon} tone={tone} title={means}>
      {word}
    </Badge>
  );
}

export function PracticeBadge() {
  return <Badge tone="practice">PRACTICE</Badge>;
}

/** A key as printed on the keyboard. */
export function Key({ children }: { children: string }) {
  return (
    <kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded-sm border border-line bg-sunken px-1 font-sans text-2xs font-medium text-soft">
      {children}
    </kbd>
  );
}
