// A report's style sheet: light or dark as the reader prefers, for wide screens, phones and paper. It loads no fonts or images.

/** The whole sheet, for one style element that the page's policy allows by its hash. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --line: #e3e7ed; --text: #171b21; --muted: #566070; --faint: #edf0f4;
  --rx: #2563d9; --tx: #bf5312; --focus: #2563d9;
  --l0: #eef1f5; --l1: #dbe7fd; --l2: #b4cdf9; --l3: #83abf1; --l4: #366dd6; --l5: #1d4aa5;
  --t-low: #10244a; --t-high: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1116; --card: #161a21; --line: #272e38; --text: #e7eaef; --muted: #9ba6b5; --faint: #1e242d;
    --rx: #6ea6ff; --tx: #f0a05a; --focus: #8db9ff;
    --l0: #1d232c; --l1: #1b2c4a; --l2: #244276; --l3: #325ca3; --l4: #669be9; --l5: #a3c8ff;
    --t-low: #e6eeff; --t-high: #0a1424;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main, header, footer { max-width: 1080px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 40px; padding-bottom: 20px; }
h1 { font-size: 26px; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; margin: 0; text-wrap: balance; }
header p { margin: 6px 0 0; color: var(--muted); }
h2 { font-size: 16px; font-weight: 650; letter-spacing: -0.005em; margin: 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px 22px; margin: 0 0 16px; min-width: 0; }
section > p, .note { color: var(--muted); margin: 4px 0 0; font-size: 13px; }
section > p.above { margin: -8px 0 14px; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 0; padding: 0; overflow: hidden; }
.tiles dl { margin: 0; padding: 18px 22px; border-left: 1px solid var(--line); min-width: 0; }
.tiles dl:first-child { border-left: 0; }
.tiles dt { color: var(--muted); font-size: 13px; }
.tiles dd { margin: 0; }
.tiles dd.big { font-size: 27px; line-height: 1.25; font-weight: 600; letter-spacing: -0.02em; white-space: nowrap; }
.tiles dd.small { color: var(--muted); font-size: 13px; }
.head { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 4px 16px; margin-bottom: 12px; }
.key { display: flex; gap: 16px; color: var(--muted); font-size: 13px; margin: 0; }
.key span::before { content: ""; display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 6px; background: var(--rx); }
.key span.sent::before { background: var(--tx); }
.scale { display: flex; align-items: center; gap: 4px; color: var(--muted); font-size: 13px; margin: 0; }
.scale svg { width: 88px; height: 14px; }
.chart { display: block; width: 100%; height: auto; overflow: visible; }
.chart text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; fill: var(--text); }
.chart .tick { fill: var(--muted); }
.chart .name { font-size: 13px; }
.chart .grid { stroke: var(--line); }
.chart .axis, .chart .mark { stroke: var(--muted); stroke-width: 1; }
.rx { fill: var(--rx); } .tx { fill: var(--tx); }
.hit { fill: transparent; }
.bar:hover .hit { fill: var(--text); fill-opacity: 0.07; }
.l0 { fill: var(--l0); } .l1 { fill: var(--l1); } .l2 { fill: var(--l2); } .l3 { fill: var(--l3); } .l4 { fill: var(--l4); } .l5 { fill: var(--l5); }
.chart .t1, .chart .t2, .chart .t3 { fill: var(--t-low); } .chart .t4, .chart .t5 { fill: var(--t-high); }
.day:hover rect { stroke: var(--text); stroke-width: 1.5; }
.narrow { display: none; }
.two { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); column-gap: 16px; align-items: start; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
caption { text-align: left; color: var(--muted); font-size: 13px; padding-bottom: 6px; }
th { text-align: right; color: var(--muted); font-weight: 500; font-size: 13px; padding: 4px 0 4px 14px; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; width: 100%; max-width: 0; }
td { text-align: right; padding: 7px 0 6px 14px; white-space: nowrap; border-bottom: 1px solid var(--faint); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td bdi { display: block; overflow: hidden; text-overflow: ellipsis; }
td .why { color: var(--muted); font-style: italic; }
td.said { white-space: normal; overflow-wrap: anywhere; }
td.said .why { display: block; font-size: 13px; }
td .share { display: block; width: 100%; height: 4px; margin-top: 4px; border-radius: 2px; background: var(--faint); }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
th button:hover { color: var(--text); }
th[aria-sort] button { color: var(--text); }
th[aria-sort="descending"] button::after { content: " \\2193"; }
th[aria-sort="ascending"] button::after { content: " \\2191"; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
details { border-top: 1px solid var(--faint); }
details:first-of-type { border-top: 0; }
summary { cursor: pointer; padding: 7px 0; }
summary .count { color: var(--muted); font-size: 13px; }
details ul { margin: 0 0 10px; padding: 0 0 0 18px; list-style: none; columns: 2; column-gap: 32px; font-size: 14px; }
details li { break-inside: avoid; display: flex; justify-content: space-between; gap: 12px; }
details li bdi { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
details li time { color: var(--muted); white-space: nowrap; font-size: 13px; }
footer { color: var(--muted); font-size: 13px; padding-top: 8px; padding-bottom: 48px; }
@media (max-width: 760px) {
  main, header, footer { padding-left: 14px; padding-right: 14px; }
  header { padding-top: 24px; padding-bottom: 14px; }
  h1 { font-size: 22px; }
  section { padding: 16px 14px; border-radius: 10px; }
  .tiles { grid-template-columns: 1fr 1fr; padding: 0; }
  .tiles dl { padding: 14px; }
  .tiles dl:nth-child(odd) { border-left: 0; }
  .tiles dl:nth-child(n+3) { border-top: 1px solid var(--line); }
  .tiles dd.big { font-size: 22px; }
  .two { grid-template-columns: minmax(0, 1fr); }
  .wide { display: none; } .narrow { display: block; }
  details ul { columns: 1; }
}
@media print {
  :root {
    color-scheme: light;
    --page: #ffffff; --card: #ffffff; --line: #d5dae1; --text: #000000; --muted: #444c58; --faint: #e8ebef;
    --rx: #2563d9; --tx: #bf5312;
    --l0: #eef1f5; --l1: #dbe7fd; --l2: #b4cdf9; --l3: #83abf1; --l4: #366dd6; --l5: #1d4aa5; --t-low: #10244a; --t-high: #ffffff;
  }
  body { font-size: 11pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main, header, footer { max-width: none; padding: 0; }
  section, tr, details { break-inside: avoid; }
  .wide { display: block; } .narrow { display: none; }
}
`;
