/**
 * The organisation that an access token is for, "" where it does not say. Nothing is proved by it: it only tells that this
 * window shows another one's data, which the server then refuses.
 */
export function organizationOf(token: string): string {
  try {
    const claims = JSON.parse(atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"))) as { org?: unknown };
    return typeof claims.org === "string" ? claims.org : "";
  } catch {
    return "";
  }
}
