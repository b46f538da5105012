/**
 * A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits. Lower case, because the server compares ids as
 * text. Built on getRandomValues, since `crypto.randomUUID` is missing on plain-http pages.
 */
export function uuidv7(now = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const time = now.toString(16).padStart(12, "0");
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const tail = hex(bytes.subarray(6));
  return `${time.slice(0, 8)}-${time.slice(8)}-${tail.slice(0, 4)}-${tail.slice(4, 8)}-${tail.slice(8)}`;
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** 256 random bits as 43 characters of base64url: proves a visitor's session to the server, which keeps only a hash. */
export function resumeToken(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .slice(0, 43);
}
