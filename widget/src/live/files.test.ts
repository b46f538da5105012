import { describe, expect, it, vi } from "vitest";
import ar from "./locales/ar.json";
import de from "./locales/de.json";
import en from "./locales/en.json";
import { config, FakeWebSocket, find, hosts, load, reply, settle, submit, usePage, write } from "../testing";

usePage();

interface Upload {
  file: File;
  token: string;
}

/** Takes files by the function, and all messages. */
function receive(take: (upload: Upload, count: number) => Response = (_, count) => reply(201, { id: `f${count}` })) {
  const uploads: Upload[] = [];
  const sent: { attachment_ids: string[] }[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
    if (!url.endsWith("/attachments")) {
      const body = JSON.parse(String(init.body ?? "{}"));
      sent.push(body);
      return reply(201, { id: body.id });
    }
    init.signal?.throwIfAborted();
    const { Authorization } = init.headers as Record<string, string>;
    const upload = { file: (init.body as FormData).get("file") as File, token: Authorization!.replace("Bearer ", "") };
    uploads.push(upload);
    return take(upload, uploads.length);
  });
  return { uploads, sent };
}

const text = (name = "console.log", size = 9) => new File(["x".repeat(size)], name, { type: "text/plain" });

function choose(...files: File[]): void {
  const input = find<HTMLInputElement>("[type=file]");
  Object.defineProperty(input, "files", { value: files, configurable: true });
  input.dispatchEvent(new Event("change"));
}

async function opened(page: Record<string, string> = {}, over = {}) {
  const api = await load(config(over), page);
  api.open!();
  await settle();
  return api;
}

const shown = () => [...find(".files").children].map((el) => `${el.querySelector("bdi")!.textContent}: ${el.querySelector("small")!.textContent}`);

describe("files", () => {
  it("are sent at once as the visitor's, and named by the message", async () => {
    const { uploads, sent } = receive();
    await opened();
    choose(text("a.txt"), text("b.txt"));
    await settle();
    expect(uploads.map(({ file }) => file.name)).toEqual(["a.txt", "b.txt"]);
    expect(shown()).toEqual(["a.txt: 1 kB", "b.txt: 1 kB"]);
    write("See these");
    submit();
    await settle();
    expect(sent[0]).toMatchObject({ message: "See these", attachment_ids: ["f1", "f2"], resume_token: uploads[0]!.token });
    find(".again").click();
    expect(shown()).toEqual([]);
    write("Nothing more");
    submit();
    await settle();
    expect(sent[1]!.attachment_ids).toEqual([]);
  });

  it("are waited for by a message that is sent meanwhile", async () => {
    let take = (_: Response): void => {};
    const { sent } = receive();
    vi.stubGlobal("fetch", ((known) => (url: string, init: RequestInit) =>
      url.endsWith("/attachments") ? new Promise((done) => (take = done)) : known(url, init))(fetch as never as (url: string, init: RequestInit) => unknown));
    await opened();
    choose(text());
    write("Wait for it");
    submit();
    await settle(5_000);
    expect([sent.length, find("#submit").textContent]).toEqual([0, "Sending…"]);
    take(reply(201, { id: "late" }));
    await settle();
    expect(sent[0]!.attachment_ids).toEqual(["late"]);
  });

  it.each([
    [413, "photo.png", en.errSize, en.errRefused],
    [415, "photo.png", en.errKind, en.errRefused],
    [422, "photo.png", en.errKind, en.errRefused],
    // What it holds is not what its name says.
    [415, "console.log", en.errText, en.errRefused],
    [403, "photo.png", en.errFailed, en.errFiles],
  ])("that are refused with %i hold the message back, until they are removed", async (status, name, words, told) => {
    const { sent } = receive(() => reply(status, {}));
    await opened();
    choose(new File(["x"], name, { type: name === "photo.png" ? "image/png" : "" }));
    await settle();
    expect(shown()).toEqual([`${name}: ${words}`]);
    write("With a file");
    submit();
    await settle();
    expect([sent.length, find("#alert").textContent]).toEqual([0, told]);
    // Where the visitor can do something about it.
    const helps = told === en.errFiles;
    expect(hosts()[0]!.shadowRoot!.activeElement).toBe(find(helps ? ".retry" : ".files .close"));
    expect([find(".retry").hidden, find("#message").ariaInvalid]).toEqual([!helps, "false"]);
    expect(JSON.parse(localStorage.getItem("earshot:pk_test")!).entries).toEqual([]);
    expect(find<HTMLTextAreaElement>("#message").value).toBe("With a file");
    find(".files .close").click();
    submit();
    await settle();
    expect(sent[0]!.attachment_ids).toEqual([]);
  });

  it("are tried again while the server is in trouble, as it says, and then by the visitor", async () => {
    let up = false;
    const { uploads } = receive(() => (up ? reply(201, { id: "f" }) : reply(503, { retry_after_ms: 1_500 })));
    await opened();
    choose(text());
    await settle(1_499);
    expect(uploads).toHaveLength(1);
    await settle(1);
    expect(uploads).toHaveLength(2);
    await settle(60_000);
    expect([uploads.length, shown()]).toEqual([4, [`console.log: ${en.errFailed}`]]);
    up = true;
    find(".retry").focus();
    find(".retry").click();
    // The button is hidden now, and the focus must not be lost with it.
    expect(hosts()[0]!.shadowRoot!.activeElement).toBe(find(".files .close"));
    await settle();
    expect(shown()).toEqual(["console.log: 1 kB"]);
  });

  it("that are too many or too large are told of before they are sent", async () => {
    const { uploads } = receive();
    await opened();
    const large = text("large.bin");
    Object.defineProperty(large, "size", { value: 10_485_761 });
    choose(large);
    expect(find("#alert").textContent).toBe(`\u2068large.bin\u2069: ${en.errSize}`);
    choose(...["1", "2", "3", "4", "5", "6"].map((name) => text(name)));
    await settle();
    expect([uploads.length, find("#alert").textContent]).toEqual([5, en.errMany]);
  });

  it("come by pasting and dropping, too, and texts go where they always go", async () => {
    const { uploads } = receive();
    await opened();
    const drop = Object.assign(new Event("drop", { bubbles: true, cancelable: true }), { dataTransfer: { types: ["Files"], files: [text("dropped.txt")] } });
    const paste = Object.assign(new Event("paste", { bubbles: true, cancelable: true }), { clipboardData: { types: ["Files"], files: [text("pasted.txt")] } });
    const words = Object.assign(new Event("paste", { bubbles: true, cancelable: true }), { clipboardData: { types: ["text/plain"], files: [] } });
    const named = Object.assign(new Event("paste", { bubbles: true, cancelable: true }), { clipboardData: { types: ["text/plain", "Files"], files: [text("named.txt")] } });
    const cells = Object.assign(new Event("paste", { bubbles: true, cancelable: true }), { clipboardData: { types: ["text/plain", "text/html", "Files"], files: [text("cells.png")] } });
    const all = [drop, paste, words, named, cells];
    for (const event of all) find("#message").dispatchEvent(event);
    await settle();
    expect(uploads.map(({ file }) => file.name)).toEqual(["dropped.txt", "pasted.txt", "named.txt"]);
    expect(all.map((event) => event.defaultPrevented)).toEqual([true, true, false, true, false]);
  });

  it("are shown by names that read as they are", async () => {
    receive();
    await opened();
    choose(text("\u202efdp.exe.png"));
    await settle();
    expect([shown(), find(".files .close").ariaLabel]).toEqual([["fdp.exe.png: 1 kB"], "Remove fdp.exe.png"]);
  });

  it("that are taken away, or whose visitor leaves, hold no message back that waits for them", async () => {
    const { sent } = receive();
    vi.stubGlobal("fetch", ((known) => (url: string, init: RequestInit) =>
      url.endsWith("/attachments")
        ? new Promise((_, fail) => init.signal!.addEventListener("abort", () => fail(init.signal!.reason)))
        : known(url, init))(fetch as never as (url: string, init: RequestInit) => unknown));
    const api = await opened();
    choose(text());
    write("Without it");
    submit();
    await settle();
    find(".files .close").click();
    await settle();
    find(".again").click();
    choose(text());
    write("Before the logout");
    submit();
    await settle();
    api.reset!();
    await settle();
    expect(sent).toMatchObject([{ message: "Without it", attachment_ids: [] }, { message: "Before the logout", attachment_ids: [] }]);
  });

  it("that had arrived do not go out once they are taken away, while others are under way", async () => {
    let take = (_: Response): void => {};
    const { sent } = receive();
    vi.stubGlobal("fetch", ((known) => (url: string, init: RequestInit) =>
      url.endsWith("/attachments") && ((init.body as FormData).get("file") as File).name === "slow.txt"
        ? new Promise((done) => (take = done))
        : known(url, init))(fetch as never as (url: string, init: RequestInit) => unknown));
    await opened();
    choose(text("wrong.txt"), text("slow.txt"));
    await settle();
    write("Only one of them");
    submit();
    await settle();
    find(".files .close").click();
    take(reply(201, { id: "slow" }));
    await settle();
    expect(sent).toMatchObject([{ message: "Only one of them", attachment_ids: ["slow"] }]);
  });

  it("that are taken away keep no others waiting", async () => {
    const { uploads } = receive(({ file }) => (file.name === "a.txt" ? reply(503, { retry_after_ms: 15_000 }) : reply(201, { id: "b" })));
    await opened();
    choose(text("a.txt"), text("b.txt"));
    await settle();
    find(".files .close").click();
    await settle();
    expect(uploads.map(({ file }) => file.name)).toEqual(["a.txt", "b.txt"]);
  });

  it("that a message went out without are told of, whatever is said of the draft", async () => {
    localStorage.setItem("earshot:pk_test", JSON.stringify({ entries: [], token: "t".repeat(43), missed: ["a.txt", "b.txt"] }));
    receive();
    await opened();
    const told = en.missed.replace("#", "\u2068a.txt\u2069, \u2068b.txt\u2069");
    expect(find("#hints").textContent).toBe(told);
    const [socket] = FakeWebSocket.all;
    socket!.opens();
    const hint = (message: string) => socket!.says({ type: "DraftAccepted", data: { hints: message ? [{ code: "new", message }] : [] } });
    for (const [said, want] of [["One", `${told}One`], ["Other", `${told}Other`], ["", told]] as const) {
      hint(said);
      expect(find("#hints").textContent).toBe(want);
    }
  });

  it("outlive another language and another look at the panel, and end with a reset", async () => {
    receive();
    const api = await opened();
    choose(text());
    await settle();
    vi.stubGlobal("fetch", async () => reply(200, { lang: "de", submit: "Senden" }));
    api("locale", "de");
    await settle();
    expect(find(".tools").textContent).toContain(de.attach);
    expect(find(".files .close").ariaLabel).toBe("console.log entfernen");
    api.close!();
    api.open!();
    await settle();
    expect(shown()).toHaveLength(1);
    api.reset!();
    expect(shown()).toHaveLength(0);
  });

  it("are not offered where the page says so", async () => {
    await opened({ files: "off" });
    expect(find(".tools")).toBeNull();
  });

  it("have the same words in all languages", () => {
    expect([Object.keys(de), Object.keys(ar)]).toEqual([Object.keys(en), Object.keys(en)]);
  });
});
