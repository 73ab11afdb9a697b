"""Contrast of 4.5 : 1 (WCAG 2.2, success criterion 1.4.3), asked of every text that is seen, in both themes."""

from typing import Any


def unreadable(page: Any) -> list[str]:
    """List the texts that are hard to read, with theme and contrast."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme} {text}" for text in page.evaluate(_CONTRAST)]
    return found


_CONTRAST = """() => {
  const parse = text => { const n = text.match(/[\\d.]+/g).map(Number); return { rgb: n.slice(0, 3), a: n[3] ?? 1 } };
  const light = rgb => { const [r, g, b] = rgb.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (c.startsWith('rgb') && parse(c).a === 1) return parse(c).rgb } return [255, 255, 255] };
  const bad = [];
  for (const e of document.querySelectorAll('body *')) {
    const text = [...e.childNodes].filter(n => n.nodeType === 3 && n.data.trim()).map(n => n.data.trim()).join(' ');
    if (!text || !e.checkVisibility() || e.disabled || e.closest('svg, option')) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color).rgb), light(behind(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.push(`${text.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return bad;
}"""
