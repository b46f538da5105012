/** Built on getRandomValues, since `crypto.randomUUID` is missing on plain-http pages. */
const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));

/**
 * A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, version, variant and 72 random bits. Lower case, because the server
 * compares ids as text.
 */
export function uuidv7(): string {
  const hex = (n: number, digits: number) => n.toString(16).padStart(digits, "0");
  const noise = [...random(9)].map((byte) => hex(byte, 2)).join("");
  return (hex(Date.now(), 12) + noise).replace(/(.{8})(.{4})(.{3})(.{3})/, "$1-$2-7$3-8$4-");
}

/** 256 random bits as 43 characters of base64url: proves a visitor's session to the server, which keeps only a hash. */
export function resumeToken(): string {
  const text = btoa(String.fromCharCode(...random(32)));
  return text.replaceAll("+", "-").replaceAll("/", "_").slice(0, 43);
}
