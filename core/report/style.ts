/** The one style sheet of the HTML report. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #17202a; --paper: #fff; --line: #cdd5df; --soft: #f3f6f9; --pass: #14683c; --fail: #a61b1b; --error: #8a4b00; --open: #33475b; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --paper: #12181f; --line: #3a4653; --soft: #1c242d; --pass: #6fd19a; --fail: #ff9b94; --error: #ffc078; --open: #b7c5d3; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.75rem; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
h3 { font-size: 1.05rem; margin: 0; }
h4 { font-size: .95rem; margin: .75rem 0 .25rem; }
p { margin: .35rem 0; }
a { color: inherit; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); padding: .4rem .6rem .4rem 0; }
body { overflow-wrap: anywhere; }
td, th { overflow-wrap: break-word; } .picture td:last-child, .picture .inner { overflow-wrap: anywhere; }
td.number { white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dt { font-weight: 600; }
dd { margin: 0; }
code, pre { font: .875rem/1.45 ui-monospace, monospace; }
pre { background: var(--soft); border: 1px solid var(--line); padding: .6rem; white-space: pre-wrap; overflow-wrap: anywhere; }
nav ul { display: flex; flex-wrap: wrap; gap: .15rem 1.1rem; list-style: none; margin: .75rem 0 0; padding: 0; font-size: .925rem; }
.word { border: 1px solid var(--line); border-left: .35rem solid var(--open); background: var(--soft); padding: .75rem 1rem; margin: .75rem 0; }
.word .verdict { font-size: 1.35rem; } .word.is-pass { border-left-color: var(--pass); } .word.is-fail { border-left-color: var(--fail); } .word.is-error { border-left-color: var(--error); }
.word svg { display: block; width: 100%; height: .6rem; margin-top: .6rem; } .word .ground { fill: var(--paper); }
.todo { padding-left: 1.1rem; } .todo li { margin: .4rem 0; break-inside: avoid; }
.overview { table-layout: fixed; } .overview th:nth-child(1) { width: 36%; } .overview th:nth-child(2) { width: 18%; } .overview th:nth-child(4) { width: 15%; } .overview th:nth-child(5) { width: 12%; }
.banner { border: 2px solid var(--fail); padding: .6rem .9rem; margin: 0 0 1rem; font-weight: 600; }
.item { border: 1px solid var(--line); border-left-width: .35rem; padding: .75rem 1rem; margin: .75rem 0; break-inside: avoid; }
article.long { break-inside: auto; } .item h3, .item h4, .item header { break-after: avoid; }
.item header { display: flex; gap: 1rem; justify-content: space-between; align-items: baseline; flex-wrap: wrap; }
.verdict { font-weight: 700; white-space: nowrap; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .error { color: var(--error); } .not-reviewed, .not-applicable { color: var(--open); }
.item.is-pass { border-left-color: var(--pass); } .item.is-fail { border-left-color: var(--fail); } .item.is-error, .item.is-expired { border-left-color: var(--error); }
.quiet { color: var(--open); }
.expired { color: var(--error); }
.number { text-align: right; padding: .4rem 1rem .4rem .6rem; font-variant-numeric: tabular-nums; }
time { white-space: nowrap; }
.inner { font-weight: 400; padding-left: 1rem; }
.bar { width: 30%; min-width: 6rem; } .bar svg { display: block; width: 100%; height: .8rem; margin-top: .35rem; }
.ground { fill: var(--soft); } .fill-moment, .fill-not-reviewed { fill: var(--open); } .fill-not-applicable { fill: var(--line); }
.fill-pass { fill: var(--pass); } .fill-fail { fill: var(--fail); } .fill-error { fill: var(--error); } .fill-expired { fill: none; stroke: var(--error); stroke-width: 4; }
.link { margin: .75rem 0; border: 1px solid var(--line); padding: .6rem 1rem; break-inside: avoid; }
.link p { margin: .25rem 0 0; } .link svg { display: block; width: 100%; max-width: 38rem; margin: .6rem 0; } .ends { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.5rem; max-width: 52rem; }
.ends ul { list-style: none; margin: 0; padding: 0; } .ends li { margin: .2rem 0; }
.link text { fill: var(--ink); font: 12px system-ui, sans-serif; text-anchor: middle; } .end { fill: var(--soft); stroke: var(--open); }
.wire { stroke: var(--open); stroke-width: 2; fill: none; stroke-dasharray: 2 6; } .wire-encrypted-and-authenticated { stroke: var(--pass); stroke-width: 5; stroke-dasharray: none; }
.wire-encrypted-only { stroke: var(--fail); stroke-width: 3; stroke-dasharray: 10 5; } .wire-clear { stroke: var(--fail); stroke-dasharray: 1 5; }
.proof { fill: var(--paper); stroke: var(--open); stroke-width: 2; } .proof.proof-observed { stroke: var(--pass); } .proof.proof-refuted { stroke: var(--fail); } .proof.proof-not-tested { stroke: var(--error); }
strong.proof-observed { color: var(--pass); } strong.proof-refuted { color: var(--fail); } strong.proof-not-tested { color: var(--error); }
.lock { fill: none; stroke: var(--open); stroke-width: 2; } .lock circle { fill: var(--paper); } .lock text { stroke: none; } .lock-body { fill: var(--paper); }
.lock-encrypted-and-authenticated { stroke: var(--pass); } .lock-encrypted-only, .lock-clear { stroke: var(--fail); } .lock-encrypted-and-authenticated .lock-body { fill: var(--pass); }
@media print {
@page { margin: 17mm 15mm 18mm; }
:root { color-scheme: light; } html { font-size: 9.25pt; } body { max-width: none; padding: 0; }
a { text-decoration: none; } nav { display: none; } h2, h3, h4, caption { break-after: avoid; } tr, .banner, .word, pre { break-inside: avoid; } .link svg { max-width: 26rem; }
svg, .verdict, .word, pre { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;

/** SHA-256 of `STYLE`, base64: the only style that the report's policy lets in. */
export const STYLE_SHA256 = 'Vd62alRE5TkfUQlExMHd84ClVB4N6uJSAkSi7fea5BU=';
