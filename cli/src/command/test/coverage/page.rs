//! The look of the page about coverage.

/// Colours differ in lightness, and each says in words what it means; enough contrast in both schemes (WCAG 2.2 AA).
pub(super) const STYLE: &str = "
:root{--ground:#fff;--text:#1b1f24;--quiet:#57606a;--edge:#d0d7de;--yes:#1a7f37;--no:#cf222e;--no-ground:#ffebe9;--mark:#ffc1ba;--link:#0550ae}
@media(prefers-color-scheme:dark){:root{--ground:#0d1117;--text:#e6edf3;--quiet:#9198a1;--edge:#30363d;--yes:#3fb950;--no:#ff7b72;--no-ground:#2d1215;--mark:#7d1f24;--link:#79c0ff}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem;max-width:76rem;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,input:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem}
.ear{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
h1{font-size:1.5rem;margin:0}h2{display:inline;font-size:1rem;font-weight:600}
.sum{margin:.25rem 0;color:var(--quiet)}.sum strong{color:var(--text);font-size:1.25rem}
header>meter{width:100%;height:1rem}
table{border-collapse:collapse;width:100%;margin-block:1rem}
caption{text-align:left;color:var(--quiet)}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--edge);text-align:right}
th:first-child{text-align:left;font-weight:400;overflow-wrap:anywhere}
thead th{font-weight:600}
section{border:1px solid var(--edge);border-radius:.4rem;margin-block:.75rem}
summary{padding:.5rem .8rem;cursor:pointer}summary span{color:var(--quiet)}
ol{margin:0;padding:.25rem 0 .5rem 4rem;overflow-x:auto;border-top:1px solid var(--edge)}
li{padding-left:.6rem;border-left:.3rem solid transparent;white-space:nowrap}
li::marker{color:var(--quiet);font-size:.8rem}
code{font:.85rem/1.5 ui-monospace,monospace;white-space:pre;tab-size:4}
.yes{border-color:var(--yes)}.no{border-color:var(--no);border-left-style:double;background:var(--no-ground)}
mark{background:var(--mark);color:inherit;border-radius:.15rem}
em{color:var(--no);font-size:.85rem;padding-left:1rem}
.few .whole{display:none}
@media print{details:not([open])>*{display:none}}
";

/// Hides what is covered whole, on request; a link opens what it leads to. The page is whole without it.
pub(super) const SCRIPT: &str = "
const box=document.getElementById('lacking');
box.addEventListener('change',()=>document.body.classList.toggle('few',box.checked));
const open=()=>{const it=location.hash&&document.getElementById(location.hash.slice(1));if(it)it.querySelector('details')?.setAttribute('open','')};
addEventListener('hashchange',open);open();
";
