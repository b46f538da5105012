/**
 * The launcher's word in every language there is: it shows before anything may be requested, so it cannot wait for a
 * locale file.
 */
export const LAUNCHER: Record<string, string> = { en: "Feedback", de: "Feedback", ar: "ملاحظات" };

/** Languages that are written from right to left; only those we ship matter. */
export const direction = (lang: string): "rtl" | "ltr" => (lang === "ar" ? "rtl" : "ltr");

/** The shipped language for a setting: `auto` follows the page's language, then the browser's, then English. */
export function pickLanguage(setting: string): string {
  const auto = setting === "auto";
  return shipped([auto ? document.documentElement.lang : setting]) || (auto && shipped(navigator.languages)) || "en";
}

const shipped = (tags: readonly string[]): string | undefined =>
  tags.map((tag) => tag.toLowerCase().split("-")[0]!).find((lang) => lang in LAUNCHER);

export async function fetchJSON<T>(url: string): Promise<T> {
  const answer = await fetch(url, { credentials: "omit" });
  if (!answer.ok) throw answer.status;
  return answer.json();
}
