/**
 * Text on an accent of the form `#rrggbb`: white where it meets AA, 4.5:1, since it looks calmer; else black, which then
 * does. Luminance is WCAG 2's with the power 2.2 for sRGB's curve; white passes up to 0.183 and black from 0.175 on, and
 * the threshold between them leaves room for that approximation.
 */
export function onAccent(accent: string): string {
  const part = (at: number) => (parseInt(accent.slice(at, at + 2), 16) / 255) ** 2.2;
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) < 0.179 ? "#fff" : "#000";
}
