"""How a page looks, on light paper and on dark. Pure."""

CSS = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --card: #f6f7f9; --text: #1b1f24; --dim: #59636e; --line: #c9d1d9;
  --good: #1a7f37; --warn: #8a5a00; --bad: #b42318; --accent: #0b5cad;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1116; --card: #171c23; --text: #e6e9ed; --dim: #9aa4b0; --line: #384049;
    --good: #57c97a; --warn: #e2b341; --bad: #ff8a80; --accent: #7db8ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 72rem; background: var(--page);
  color: var(--text); font: 16px/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.35rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 2rem 0 .6rem; color: var(--dim); font-weight: 600; }
p, ul { margin: .4rem 0; overflow-wrap: anywhere; }
ul { padding-left: 1.2rem; }
code, pre, td, svg { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
pre, code { font-size: .875rem; }
pre {
  margin: .3rem 0 1rem; padding: .6rem .8rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 6px; user-select: all;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
.card {
  padding: 1rem 1.2rem; background: var(--card); border: 1px solid var(--line);
  border-left: 6px solid var(--dim); border-radius: 6px;
}
.card.clear, .card.kept { border-left-color: var(--good); }
.card.block, .card.error { border-left-color: var(--bad); border-left-style: double; }
.verdict { font-weight: 700; text-transform: uppercase; letter-spacing: .05em; font-size: .8rem; }
.clear .verdict, .kept .verdict { color: var(--good); }
.block .verdict, .error .verdict { color: var(--bad); }
.dim { color: var(--dim); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; vertical-align: top; }
th { font-weight: 600; color: var(--dim); border-bottom: 1px solid var(--line); }
td { border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
td.short { white-space: nowrap; }
td.sign { width: 1.4rem; font-weight: 700; }
tr.refused td { font-weight: 600; }
tr.refused td.sign, tr.refused td.why { color: var(--bad); }
svg { font-size: 12px; max-width: 100%; height: auto; }
svg text { fill: var(--text); }
svg text.dim { fill: var(--dim); }
svg text.label {
  text-anchor: end; font-size: 11px; fill: var(--dim);
  paint-order: stroke; stroke: var(--page); stroke-width: 6px;
}
svg text.label.against { fill: var(--bad); }
.box rect, .box polygon { fill: var(--card); stroke: var(--dim); stroke-width: 1.2; }
.box.new rect, .box.changed rect { stroke: var(--good); }
.box.changed rect { stroke-dasharray: 5 3; }
.box.refused polygon { stroke: var(--bad); stroke-width: 3.5; }
.edge { fill: none; stroke: var(--dim); stroke-width: 1.2; }
.edge.against { stroke: var(--bad); stroke-dasharray: 6 3; stroke-width: 1.8; }
marker path { fill: var(--dim); }
marker.against path { fill: var(--bad); }
@media (max-width: 48rem) { svg { max-width: none; } td.why { min-width: 14rem; } }
@media print { body { max-width: none; } svg { min-width: 0 !important; } }
"""
