/** WCAG 2 relative luminance of `#rrggbb` (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance). */
function luminance(color: string): number {
  const value = parseInt(color.slice(1), 16);
  const [r, g, b] = [value >> 16, (value >> 8) & 255, value & 255].map((channel) => {
    const c = channel / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** WCAG 2 contrast ratio, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}

/** `#rrggbb` or nothing: what reaches a style sheet from a page's attribute must be a colour and no more. */
export function hexColor(color?: string): string | undefined {
  const short = /^#([\da-f])([\da-f])([\da-f])$/i.exec(color || "");
  if (short) return "#" + short.slice(1).map((c) => c + c).join("");
  return /^#[\da-f]{6}$/i.test(color || "") ? color : undefined;
}

/** Text on the accent that meets AA (4.5:1). White where it does, since it looks calmer; black meets it wherever white fails. */
export function onAccent(accent: string): string {
  return contrast(accent, "#ffffff") >= 4.5 ? "#ffffff" : "#000000";
}
