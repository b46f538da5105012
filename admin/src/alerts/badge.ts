/** More is not told apart at this size. */
const most = 99;
const mark = /^\(\d+\+?\) /;

const shown = (count: number): string => (count > most ? `${most}+` : `${count}`);

/** The title of a window with as many unread items. */
export function badged(title: string, count: number): string {
  const bare = title.replace(mark, "");
  return count > 0 ? `(${shown(count)}) ${bare}` : bare;
}

/** Wears the count of unread items in the window's title and icon, whatever title a page sets. */
export function createBadge(): { show(count: number): void } {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const plain = link?.href ?? "";
  let count = 0;
  let drawn: string | undefined;
  const title = (): void => {
    const wanted = badged(document.title, count);
    if (document.title !== wanted) document.title = wanted;
  };
  new MutationObserver(title).observe(document.head, { childList: true, subtree: true, characterData: true });

  async function icon(): Promise<void> {
    const asked = count;
    const url = asked > 0 ? await draw(plain, shown(asked)) : plain;
    if (asked !== count || !link || !url) return;
    link.type = asked > 0 ? "image/png" : "image/svg+xml";
    link.href = url;
    if (drawn) URL.revokeObjectURL(drawn);
    drawn = url === plain ? undefined : url;
  }

  function show(next: number): void {
    if (next === count) return;
    const same = shown(next) === shown(count) && next > 0 && count > 0;
    count = next;
    title();
    if (!same) void icon();
  }

  return { show };
}

/** Our icon with a number on it; empty where it cannot be drawn. The caller gives the address back. */
async function draw(plain: string, text: string): Promise<string> {
  const size = 64;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d");
  const image = new Image(size, size);
  image.src = plain;
  try {
    await image.decode();
  } catch {
    return "";
  }
  if (!pen) return "";
  pen.drawImage(image, 0, 0, size, size);
  pen.font = `bold ${text.length > 2 ? 28 : 36}px system-ui, sans-serif`;
  const width = Math.max(40, pen.measureText(text).width + 14);
  pen.fillStyle = "#dc2626";
  pen.beginPath();
  pen.roundRect(size - width, size - 40, width, 40, 20);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(text, size - width / 2, size - 19);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done));
  return blob ? URL.createObjectURL(blob) : "";
}
