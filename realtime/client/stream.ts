/**
 * Reads a body of Server-Sent Events to its end and hands on the data of each. `alive` is called for whatever arrives:
 * comments are there to be heard. Fields other than `data` are not needed: an envelope carries its own number.
 */
export async function readStream(body: ReadableStream<Uint8Array>, alive: () => void, data: (text: string) => void): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let lines: string[] = [];

  function read(line: string): void {
    if (line.startsWith("data:")) lines.push(line.slice(line[5] === " " ? 6 : 5));
    if (line !== "" || !lines.length) return;
    const text = lines.join("\n");
    lines = [];
    data(text);
  }

  for (;;) {
    const { done, value } = await reader.read();
    // What has no empty line after it is not complete, and is not to be used.
    if (done) return;
    alive();
    const parts = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = parts.pop()!;
    for (const part of parts) read(part.endsWith("\r") ? part.slice(0, -1) : part);
  }
}
