/** A UUIDv7 in lower case (RFC 9562, 5.7): 48 bits of milliseconds, then chance. */
export function uuidv7(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setBigUint64(0, (BigInt(now) << 16n) | 0x7000n | (BigInt(bytes[6] ?? 0) << 8n & 0xf00n) | BigInt(bytes[7] ?? 0));
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
