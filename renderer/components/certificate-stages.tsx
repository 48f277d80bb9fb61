import { Check } from 'lucide-react';

const STAGES = ['Request', 'Authority', 'Installed'] as const;

/**
 * How far a device's certificate has come.
 * @param done how many of the stages are behind it
 */
export function CertificateStages({ done }: { done: 1 | 2 | 3 }) {
  return (
    <ol className="flex items-center gap-2 text-xs" aria-label="How far it has come">
      {STAGES.map((stage, index) => {
        const [past, now] = [index < done, index === done];
        return (
          <li key={stage} className="flex items-center gap-2" aria-current={now ? 'step' : undefined}>
            {index === 0 ? null : <span aria-hidden className={`h-px w-6 ${past || now ? 'bg-link' : 'bg-line'}`} />}
            <span
              aria-hidden
              className={`flex size-4.5 items-center justify-center rounded-full text-2xs font-semibold tabular-nums ${
                past ? 'bg-pass-tint text-pass' : now ? 'bg-accent text-on-accent' : 'border border-line text-faint'
              }`}
            >
              {past ? <Check className="size-3" strokeWidth={3} /> : index + 1}
            </span>
            <span className={now ? 'font-semibold text-link' : past ? 'text-ink' : 'text-faint'}>
              {stage}
              <span className="sr-only">{past ? ', done' : now ? ', under way' : ', to come'}</span>
            </span>
          </li>
        );
      })}
    </ol>
  );
}
