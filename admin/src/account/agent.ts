/** What a browser's name for itself says in words that people use: names only, versions change by themselves. */
export interface Agent {
  browser: string | null;
  system: string | null;
  /** Held in the hand. */
  mobile: boolean;
}

/** In this order: most browsers also call themselves by the names of those before them. */
const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\b(?:OPR|Opera|OPiOS|OPT)\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bVivaldi\//, "Vivaldi"],
  [/\bYaBrowser\//, "Yandex Browser"],
  [/\bDuckDuckGo\//, "DuckDuckGo"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\bChromium\//, "Chromium"],
  [/\b(?:Headless)?Chrome\/|\bCriOS\//, "Chrome"],
  [/\bVersion\/[\d.]+.*\bSafari\//, "Safari"],
  [/^curl\//i, "curl"],
];

const systems: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b|\biPod\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac(?:intosh| OS X)\b/, "macOS"],
  [/\b(?:Free|Open|Net)BSD\b/, "BSD"],
  [/\bLinux\b|\bX11\b/, "Linux"],
];

const first = (list: readonly (readonly [RegExp, string])[], text: string): string | null => list.find(([pattern]) => pattern.test(text))?.[1] ?? null;

/** Anything may call itself anything: this is for its owner to recognise it, and proves nothing. */
export function readAgent(text: string): Agent {
  const system = first(systems, text);
  return { browser: first(browsers, text), system, mobile: system === "iPhone" || system === "iPad" || system === "Android" };
}
