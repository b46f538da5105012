/** sRGB relative luminance of `#rrggbb`, 0 to 1 (WCAG 2.2). NaN for anything else. */
export function luminance(hex: string): number {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex);
  if (!match) return NaN;
  const [r = 0, g = 0, b = 0] = match.slice(1).map((part) => {
    // The sRGB transfer function, as in the definition of relative luminance.
    const channel = parseInt(part, 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast ratio of two colours, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** What the widget writes on the accent: white where that is readable (4.5 : 1), else black, which then always is. */
export function onAccent(accent: string): string {
  return contrast(accent, "#ffffff") >= 4.5 ? "#ffffff" : "#000000";
}

export const isHex = (value: string): boolean => /^#[0-9a-f]{6}$/i.test(value);
