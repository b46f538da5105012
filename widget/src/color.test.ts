import { expect, it } from "vitest";
import { onAccent } from "./color";

/** WCAG 2.2's own formula, without the approximation under test. */
function contrast(a: string, b: string): number {
  const [light, dark] = [a, b]
    .map((color) => {
      const [r, g, bl] = [1, 3, 5].map((at) => {
        const c = parseInt(color.slice(at, at + 2), 16) / 255;
        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * bl!;
    })
    .sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}

it("text on any accent meets AA", () => {
  const poor: string[] = [];
  for (let color = 0; color < 0x1000000; color += 97) {
    const accent = `#${color.toString(16).padStart(6, "0")}`;
    const text = onAccent(accent) === "#fff" ? "#ffffff" : "#000000";
    if (contrast(accent, text) < 4.5) poor.push(accent);
  }
  expect(poor).toEqual([]);
});
