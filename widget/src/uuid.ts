/** Built on getRandomValues, since `crypto.randomUUID` is missing on plain-http pages. */
const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));

/**
 * A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, version, variant and 72 random bits. Lower case, because the server
 * compares ids as text.
 */
export function uuidv7(): string {
  const noise = [...random(9)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const digits = Date.now().toString(16).padStart(12, "0") + "7" + noise.slice(0, 3) + "8" + noise.slice(3);
  return digits.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** 256 random bits as 43 characters of base64url: proves a visitor's session to the server, which keeps only a hash. */
export function resumeToken(): string {
  const text = btoa(String.fromCharCode(...random(32)));
  return text.replace(/\+/g, "-").replace(/\//g, "_").slice(0, 43);
}
