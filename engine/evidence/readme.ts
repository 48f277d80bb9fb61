import { opensslCommand, SUMS_COMMAND } from '../../core/bundle/stock-commands.ts';

const HOW = `HOW TO CHECK IT WITH STOCK TOOLS (unzip, sha256sum, OpenSSL 3)

1. Unpack into an empty folder and go there:

     unzip -q FILE.asice -d unpacked && cd unpacked

2. Is every file the one that was sealed? Every line must say OK:

     sha256sum -c SHA256SUMS

3. Is the list of files the one that was signed? This must print one line (two where there are two manifests):

     ${SUMS_COMMAND}
`;

const PURPOSE = `A certificate without the purpose "e-mail protection" (one for document signing only) needs "-purpose any" added.
A certificate that has expired since needs the time of the check added, in seconds since 1970, for example
"-attime $(date -d 2026-11-30 +%s)".

The roots come from the parties themselves, never out of this container: whoever sends you a forged container would
send a forged root along.
`;

/** README.txt of a bundle: always the same bytes. */
export function bundleReadme(): string {
  return `EVIDENCE SEALED BY LOCKSTEP

report.html      what was checked, and what came of it; opens in any browser
reports/         the same for a spreadsheet, for Heimdall and in OSCAL; open-items: what is left to do for either party
guide/           the manufacturer's guide that was followed (guide.asice: as its publisher signed it)
site.yaml        the site as it was described
journal.jsonl    all that happened, line by line; each line holds the SHA-256 of the one before it
facts/           what the probes saw, by the number of the journal line
attachments/     files that answers rest on, named by their SHA-256
SHA256SUMS       digests of all of these
META-INF/        signature001: the engineer, as executed; signature002: the hospital, as accepted, with its statement

A bundle without signature002 is provisional: only one party has signed it.

${HOW}
4. Who signed it? Each must say "CAdES Verification successful":

     ${opensslCommand(1, 'ENGINEER-ROOT.pem')}
     ${opensslCommand(2, 'HOSPITAL-ROOT.pem')}

${PURPOSE}
The command "lockstep verify" does all of this, follows the journal's chain and its signed heads, and computes the
verdicts again from the facts. So does the page that "lockstep verify --page" writes, in any browser, without a network.
`;
}

/** README.txt of a signed guide. */
export function guideReadme(): string {
  return `A GUIDE FOR LOCKSTEP, SIGNED BY ITS PUBLISHER

guide.yaml       the guide; readable as it is
SHA256SUMS       its digest
META-INF/        signature001: the publisher

${HOW}
4. Who signed it? It must say "CAdES Verification successful":

     ${opensslCommand(1, 'PUBLISHER-ROOT.pem')}

${PURPOSE}`;
}
