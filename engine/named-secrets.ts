import { CHANGE_DECLARATIONS } from '../core/changes/index.ts';
import { evaluateParams, type PlanItem } from '../core/guide/plan.ts';
import { credentialSchema, type Site } from '../core/site/schema.ts';

export type NamedSecret = { readonly name: string; readonly purpose: string };

/** Secrets that a site, the guide's checks and its changes name, each once, with what it is for first. */
export function namedSecrets(site: Site, items: readonly PlanItem[]): readonly NamedSecret[] {
  const wanted = new Map<string, string>();
  const want = ({ name, purpose }: NamedSecret): void => {
    if (!wanted.has(name)) wanted.set(name, purpose);
  };
  for (const one of [...ofSite(site, items.some(goesOverSsh)), ...items.flatMap(ofChecks), ...items.flatMap(ofChange)])
    want(one);
  return [...wanted].map(([name, purpose]) => ({ name, purpose }));
}

/** A password that nothing needs is not asked for. */
function goesOverSsh({ control: { change }, checks }: PlanItem): boolean {
  const given = [change?.with, ...checks.map(({ params }) => (params.ok ? params.value : undefined))];
  return given.some((value) => objectsIn(value).some((object) => typeof object.device === 'string'));
}

function objectsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(objectsIn)];
}

function ofSite({ directory, devices, links }: Site, overSsh: boolean): NamedSecret[] {
  return [
    ...(directory === undefined
      ? []
      : [{ name: directory.secret, purpose: `Password of ${directory.bindAccount}, to read the directory` }]),
    ...devices.flatMap(({ name: device, credential }) =>
      credential === undefined
        ? []
        : [{ name: credential.secret, purpose: `Password of ${credential.user} on ${device}` }],
    ),
    ...devices.flatMap(({ name: device, ssh }) =>
      ssh === undefined || !overSsh
        ? []
        : [
            { name: ssh.secret, purpose: `Password or private key of ${ssh.user} on ${device}, for SSH` },
            ...(ssh.passphrase === undefined
              ? []
              : [{ name: ssh.passphrase, purpose: `Passphrase of the private key of ${ssh.user} on ${device}` }]),
          ],
    ),
    ...links.flatMap(({ name: link, impostor }) => {
      const trigger = impostor?.trigger;
      return typeof trigger === 'object' && trigger.credential !== undefined
        ? [
            {
              name: trigger.credential.secret,
              purpose: `Password of ${trigger.credential.user}, to send a test message over ${link}`,
            },
          ]
        : [];
    }),
  ];
}

function ofChecks({ checks, control }: PlanItem): NamedSecret[] {
  const values = checks.flatMap(({ params }) => (params.ok ? Object.values(params.value) : []));
  return values.flatMap(objectsIn).flatMap((value) => {
    const { data } = credentialSchema.safeParse(value);
    return data === undefined
      ? []
      : [{ name: data.secret, purpose: `Password of ${data.user}, for "${control.title}"` }];
  });
}

function ofChange({ control, values }: PlanItem): readonly NamedSecret[] {
  const declaration = CHANGE_DECLARATIONS.find(({ id }) => id === control.change?.kind);
  if (declaration?.secrets === undefined) return [];
  const given = evaluateParams(control.change?.with ?? {}, values);
  const params = declaration.params.safeParse(given.ok ? given.value : undefined);
  return params.success ? declaration.secrets(params.data) : [];
}
