/** Who writes: the name, and a short id of it for the `by` of events (letters, digits and dashes). */
export function operatorOf(name: string): { id: string; name: string } {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return { id: slug === '' ? 'operator' : slug.slice(0, 40), name };
}
