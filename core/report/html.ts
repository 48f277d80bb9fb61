import { html, type Markup, NOTHING } from './markup.ts';
import type { ReportItem, ReportModel } from './model.ts';
import { expiry } from './expiry.ts';
import { coverage, day, links, OWNERS, standingBadge as badge, timeline, when } from './pictures.ts';
import { standingOf } from './standing.ts';
import { peopleTerms, sinceLast } from './since.ts';
import { STYLE, STYLE_SHA256 } from './style.ts';
import { anchor, itemBadge, summary, whoMustAct } from './summary.ts';

/**
 * The report for people: one HTML document that opens offline, prints, and runs no script. Everything that comes from
 * guide, site or journal is escaped. The same model gives the same bytes.
 */
export function renderHtmlReport(model: ReportModel): string {
  const parts: readonly Part[] = [
    { id: 'summary', title: 'Summary', body: summary(model) },
    { id: 'act', title: 'Who must act', body: whoMustAct(model) },
    { id: 'coverage', title: 'Coverage', body: coverage(model) },
    { id: 'links', title: 'Links', body: links(model) },
    { id: 'expiry', title: 'Expiry ahead', body: expiry(model) },
    { id: 'timeline', title: 'Timeline', body: timeline(model) },
    { id: 'overview', title: 'Overview', body: overview(model) },
    { id: 'details', title: 'Control by control', body: details(model) },
    { id: 'origin', title: 'Where this comes from', body: origin(model) },
  ].filter((part) => part.body !== NOTHING);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${{ markup: STYLE_SHA256 }}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${model.practice ? 'PRACTICE: ' : ''}${model.title}</title>
<style>${{ markup: STYLE }}</style>
</head>
<body>
<main>
${banners(model)}
<h1>${model.title}</h1>
<p>${model.site.name} · guide ${model.guide.id} ${model.guide.version} · as of ${when(model.session.lastAt)}</p>
${contents(parts)}
${parts.map((part) => part.body)}
</main>
</body>
</html>
`;
  return page.markup;
}

type Part = { readonly id: string; readonly title: string; readonly body: Markup };

function contents(parts: readonly Part[]): Markup {
  return html`<nav aria-label="Contents"><ul>${parts.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>`;
}

function details(model: ReportModel): Markup {
  return html`<h2 id="details">Control by control</h2>\n${model.items.map((each) => item(each, model))}`;
}

function banners(model: ReportModel): Markup[] {
  const texts = [
    ...(model.practice ? ['PRACTICE: this comes from a practice hospital and proves nothing about a real one.'] : []),
    'Provisional until the engineer and the hospital have both signed the container that holds this report. Check it with the README beside it.',
    ...(model.guide.trust === 'unsigned'
      ? ['The guide is unsigned: nothing shows who wrote it. No change was applied.']
      : []),
    ...(model.guide.trust === 'untrusted'
      ? ['The guide comes from a publisher who is not trusted here. No change was applied.']
      : []),
    ...(model.gate?.inRange === false
      ? [
          `The product is outside the range of this guide (${model.gate.version ?? 'unknown version'}; the guide covers ${model.gate.range}). The operator went on: ${model.gate.reason ?? 'no reason given'}`,
        ]
      : []),
  ];
  return texts.map((text) => html`<p class="banner" role="note">${text}</p>\n`);
}

function overview(model: ReportModel): Markup {
  const rows = model.items.map(
    (each) =>
      html`<tr><th scope="row"><a href="#${anchor(each)}">${each.control.title}</a></th><td>${each.target.name}</td><td>${itemBadge(each, model)}${each.waiver === undefined ? NOTHING : html` (waiver asked for)`}</td><td>${each.control.owner === 'shared' ? 'Both' : OWNERS[each.control.owner]}</td><td>${each.goodUntil === undefined ? '' : day(each.goodUntil)}</td></tr>\n`,
  );
  return html`<h2 id="overview">Overview</h2>
<table class="overview">
<caption>All items in the order of the guide</caption>
<thead><tr><th scope="col">Control</th><th scope="col">Target</th><th scope="col">Verdict</th><th scope="col">Owner</th><th scope="col">Good until</th></tr></thead>
<tbody>
${rows}</tbody>
</table>`;
}

function item(each: ReportItem, model: ReportModel): Markup {
  const { control, answer, waiver, deferred } = each;
  const references = Object.entries(control.references).map(([framework, ids]) => `${framework}: ${ids.join(', ')}`);
  return html`<article class="item is-${standingOf(each, model)}${each.changes.length > 0 ? ' long' : ''}" id="${anchor(each)}">
<header><h3>${control.title}</h3><span>${itemBadge(each, model)}</span></header>
<p class="quiet"><code>${each.key}</code> · ${each.target.name} · ${OWNERS[control.owner]}${each.judgedAt === undefined ? NOTHING : html` · judged ${when(each.judgedAt)}`}${each.goodUntil === undefined ? NOTHING : html` · good until ${when(each.goodUntil)}`}</p>
<p>${control.why}</p>
${each.findings.length === 0 ? NOTHING : html`<h4>Findings</h4>\n<ul>\n${each.findings.map((found) => html`<li>${badge(found.verdict)} ${found.sentence}${found.fixBy === undefined ? NOTHING : html` <span class="quiet">Can be fixed by: ${found.fixBy}.</span>`}</li>\n`)}</ul>\n`}${sinceLast(each)}${answer === undefined ? NOTHING : html`<h4>Answer</h4>\n<p><strong>${answer.answer}</strong>, by ${answer.by}, ${when(answer.at)}</p>\n${answer.note === '' ? NOTHING : html`<pre>${answer.note}</pre>\n`}`}${waiver === undefined ? NOTHING : html`<h4>Waiver asked for, until ${when(waiver.until)}</h4>\n<p>Reason: ${waiver.reason}</p>\n<p>Compensating control: ${waiver.compensating}</p>\n`}${deferred === undefined ? NOTHING : html`<h4>Left to ${deferred.to}</h4>\n<p>${deferred.note}</p>\n`}${each.changes.map(change)}${attachments(each)}${references.length === 0 ? NOTHING : html`<p class="quiet">References: ${references.join('; ')}</p>\n`}</article>
`;
}

function change(each: ReportItem['changes'][number]): Markup {
  const approval =
    each.ticket === undefined ? NOTHING : html` Ticket ${each.ticket}, approved by ${each.approver ?? 'nobody named'}.`;
  const outcome =
    each.asPlanned === undefined
      ? NOTHING
      : each.asPlanned
        ? html` Read back as planned.`
        : html` <strong>Read back otherwise than planned:</strong> ${(each.differences ?? []).join('; ')}`;
  return html`<h4>${each.undo ? 'Undo' : 'Change'}: ${each.summary}</h4>\n<p>State: ${each.phase}.${approval}${outcome}</p>\n<pre>${each.diff}</pre>\n`;
}

/** A picture is not what the camera saw, and says so. */
function madeFrom({ redacted }: ReportItem['attachments'][number]): Markup {
  if (redacted === undefined) return NOTHING;
  const { boxes, from, kept } = redacted;
  const what =
    boxes === 0 ? 'metadata taken out' : `metadata taken out, ${boxes} ${boxes === 1 ? 'box' : 'boxes'} burnt in`;
  return html`<br><span class="quiet">${what}; the original (SHA-256 <code>${from}</code>) is ${kept ? 'attached, too' : 'not in this bundle'}.</span>`;
}

function attachments(each: ReportItem): Markup {
  if (each.attachments.length === 0) return NOTHING;
  const lines = each.attachments.map(
    (file) =>
      html`<li><a href="${encodeURI(file.file)}">${file.name}</a> (${file.size} bytes, SHA-256 <code>${file.sha256}</code>)${madeFrom(file)}</li>\n`,
  );
  return html`<h4>Attachments</h4>\n<ul>\n${lines}</ul>\n`;
}

function origin(model: ReportModel): Markup {
  const { guide, site, session, gate, generatedFrom } = model;
  const gateText =
    gate === undefined
      ? 'not checked'
      : `${gate.version ?? 'unknown version'} (${gate.basis}${gate.reason === undefined ? '' : `: ${gate.reason}`}), the guide covers ${gate.range}: ${gate.inRange ? 'in range' : 'out of range'}`;
  return html`<h2 id="origin">Where this comes from</h2>
<dl>
<dt>Guide</dt><dd>${guide.id} ${guide.version}${guide.product === undefined ? NOTHING : html`, for ${guide.product}`}, ${guide.trust}${guide.publisher === undefined ? NOTHING : html`, published by ${guide.publisher}`}<br><code>SHA-256 ${guide.sha256}</code></dd>
<dt>Product version</dt><dd>${gateText}</dd>
<dt>Site</dt><dd>${site.name} (${site.id})<br><code>SHA-256 ${site.sha256}</code></dd>
<dt>Session</dt><dd><code>${session.id}</code>, ${when(session.openedAt)} to ${when(session.lastAt)}</dd>
<dt>Operators</dt><dd>${session.operators.map((each) => each.name).join(', ')}</dd>
${peopleTerms(model)}<dt>Journal</dt><dd>up to line ${generatedFrom.upTo}<br><code>SHA-256 ${generatedFrom.sha256}</code></dd>
<dt>Made by</dt><dd>Lockstep ${session.lockstep}</dd>
</dl>
<p>The verdicts follow from the facts and the guide in the same container; anyone can compute them again.</p>`;
}
