/** The page's only style sheet. Filtering works by `:has()`, so the page needs no script at all. */
export const style = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1b2230;--soft:#5c6779;--line:#dfe3ea;--pass:#1a7f4b;--fail:#c6302b;
--inconclusive:#a86400;--na:#8a94a6;--pass-bg:#e5f5ec;--fail-bg:#fdeceb;--inconclusive-bg:#fdf3e0;--na-bg:#eef0f4;--accent:#2557a7}
@media(prefers-color-scheme:dark){:root{--bg:#10141b;--card:#181e28;--ink:#e6eaf1;--soft:#9aa6b8;--line:#2b3442;--pass:#4cc38a;--fail:#ff7b72;
--inconclusive:#e3a647;--na:#76839a;--pass-bg:#12301f;--fail-bg:#3a1a1a;--inconclusive-bg:#33260f;--na-bg:#232b37;--accent:#82b1ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:26px;margin:0 0 4px;letter-spacing:-.01em}h2{font-size:19px;margin:40px 0 12px}h3{font-size:15px;margin:0}
p{margin:0 0 8px}a{color:var(--accent)}
code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:12.5px}
.soft{color:var(--soft)}.break{overflow-wrap:anywhere}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px 18px}
.totals{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:20px 0}
.total{border-left:5px solid var(--tone)}.total b{display:block;font-size:28px;line-height:1.1;color:var(--tone)}
.two{display:grid;grid-template-columns:1fr 1fr;gap:16px}
[data-result=pass]{--tone:var(--pass);--tone-bg:var(--pass-bg)}[data-result=fail]{--tone:var(--fail);--tone-bg:var(--fail-bg)}
[data-result=inconclusive]{--tone:var(--inconclusive);--tone-bg:var(--inconclusive-bg)}[data-result=not-applicable]{--tone:var(--na);--tone-bg:var(--na-bg)}
.chip{display:inline-block;padding:1px 9px;border-radius:99px;font-size:12px;font-weight:600;white-space:nowrap;color:var(--tone);background:var(--tone-bg)}
.next{margin-top:20px}.first{margin:0;padding-left:20px}.first li{margin:6px 0}
svg text{fill:var(--ink);font-size:13px}svg .count{fill:#fff;font-size:12px;font-weight:600;text-anchor:middle}
@media(prefers-color-scheme:dark){svg .count{fill:#10141b}}
.key{display:flex;gap:16px;flex-wrap:wrap;margin-top:8px;font-size:13px}.key span::before{content:"";display:inline-block;width:10px;height:10px;border-radius:3px;background:var(--tone);margin-right:6px}
.filter{display:flex;gap:8px;flex-wrap:wrap;margin:12px 0 20px;border:0;padding:0}.filter legend{position:absolute;clip-path:inset(50%)}
.filter label{border:1px solid var(--line);background:var(--card);border-radius:99px;padding:4px 14px;cursor:pointer;font-size:14px}
.filter input{position:absolute;opacity:0}.filter label:has(:checked){background:var(--ink);border-color:var(--ink);color:var(--bg)}
.filter label:has(:focus-visible){outline:2px solid var(--accent);outline-offset:2px}
body:has(#only-fail:checked) .finding:not([data-result=fail]),body:has(#only-inconclusive:checked) .finding:not([data-result=inconclusive]),
body:has(#only-pass:checked) .finding:not([data-result=pass]),body:has(#only-not-applicable:checked) .finding:not([data-result=not-applicable]){display:none}
.group{margin-bottom:24px}.group>header{display:flex;justify-content:space-between;align-items:baseline;gap:12px;margin:0 0 8px;flex-wrap:wrap}
.finding{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--tone);border-radius:8px;margin:6px 0}
.finding summary{display:grid;grid-template-columns:118px 1fr auto;gap:12px;padding:9px 14px;cursor:pointer;align-items:baseline;list-style:none}
.finding summary::-webkit-details-marker{display:none}.finding summary:hover{background:var(--bg)}
.finding:target{outline:2px solid var(--accent)}.finding .said{display:block;color:var(--soft);font-size:13.5px}
.finding[data-result=fail] .said{color:var(--tone)}
.body{margin:0;padding:4px 14px 14px 144px}.body dt{font-size:12px;text-transform:uppercase;letter-spacing:.04em;color:var(--soft);margin-top:10px}.body dd{margin:2px 0 0}
pre{background:var(--bg);border:1px solid var(--line);border-radius:6px;padding:10px;margin:4px 0;white-space:pre-wrap;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse}td,th{text-align:left;padding:7px 10px;border-bottom:1px solid var(--line);vertical-align:top}
th{font-size:12px;text-transform:uppercase;letter-spacing:.04em;color:var(--soft);font-weight:600}tr:last-child td{border-bottom:0}
table{table-layout:fixed}th:first-child{width:190px}th:nth-child(3){width:130px}th:nth-child(4){width:30%}td:last-child .chip{white-space:normal}
a.chip{text-decoration:none}a.chip:hover{text-decoration:underline}
.framework{margin:14px 0;padding:0;overflow:hidden}.framework>summary{padding:12px 18px;cursor:pointer;font-weight:600}.framework>summary .soft{font-weight:400;margin-left:8px}.counts{float:right}.framework .inside{padding:0 8px 8px}
footer{margin-top:48px;border-top:1px solid var(--line);padding-top:16px;font-size:13px;color:var(--soft)}
@media(max-width:720px){.totals{grid-template-columns:1fr 1fr}.two{grid-template-columns:1fr}.finding summary{grid-template-columns:1fr}.body{padding-left:14px}th:first-child{width:28%}th:nth-child(3){width:24%}.counts{float:none;display:block}}
@media print{:root{color-scheme:light;--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--pass:#1a7f4b;--fail:#c6302b;--inconclusive:#a86400;--na:#667;
--pass-bg:#fff;--fail-bg:#fff;--inconclusive-bg:#fff;--na-bg:#fff}
body{font-size:11px}main{max-width:none;padding:0}.filter{display:none}.finding,.card,tr{break-inside:avoid}h2{break-after:avoid}
details.framework::details-content,details.finding[data-result=fail]::details-content{content-visibility:visible;block-size:auto}.body{padding-left:14px}.chip{border:1px solid currentcolor}svg .count{fill:#fff}
svg rect{print-color-adjust:exact;-webkit-print-color-adjust:exact}@page{margin:16mm}}
`;
