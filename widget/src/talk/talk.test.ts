import { describe, expect, it, vi } from "vitest";
import type { components } from "../../../realtime/protocol/ts";
import { config, fakeFetch, FakeWebSocket, find, load, page, reply, settle, submit, usePage, write, type Posted } from "../testing";

usePage();

const KEY = "earshot:pk_test";
const ITEM = "0195aaaa-0000-7000-8000-000000000001";
const TOKEN = "t".repeat(43);
const at = "2026-01-02T03:04:05Z";

type Conversation = components["schemas"]["Conversation"];
const conversation = (over: Partial<Conversation> = {}): Conversation => ({
  id: ITEM, message: "The total is wrong", page_url: "https://shop.test/", kind: null, rating: null, status: "new",
  created_at: at, updated_at: at, receipt_url: "https://earshot.test/r/secret", attachments: [], messages: [], ...over,
});
const posted = (seq: number, id = `m${seq}`, feedback_id = ITEM) => ({
  type: "ReplyPosted", epoch: "e1", seq, data: { feedback_id, message_id: id, author_name: "Ann", body: `reply ${seq}`, at },
});

/** With a script that is loaded on the way. */
async function arrive() {
  await settle();
  await settle();
}

const stored = () => JSON.parse(localStorage.getItem(KEY) || "{}");
/** As a page before has left it. */
const keep = (more: object = {}) => localStorage.setItem(KEY, JSON.stringify({ token: TOKEN, entries: [], ...more }));
const act = () => document.dispatchEvent(new Event("pointerdown", { bubbles: true }));
const texts = (selector: string) => [...find(".root").querySelectorAll(selector)].map((el) => el.textContent);

/** Conversations a page; the server gives up to 100. */
const PAGE = 3;

interface Server {
  items: Conversation[];
  events: object[];
  down?: boolean;
}
function serve(server: Server): Posted[] {
  return fakeFetch(({ url, body }) => {
    if (server.down) throw new TypeError("Failed to fetch");
    if (url.endsWith("/poll")) return reply(200, { epoch: "e1", head: 9, events: server.events });
    if (url.includes("/conversations")) {
      const from = Number(new URL(url).searchParams.get("cursor") ?? 0);
      const more = from + PAGE < server.items.length;
      return reply(200, { items: server.items.slice(from, from + PAGE), next_cursor: more ? `${from + PAGE}` : null });
    }
    return reply(201, { id: body.id, receipt_url: "https://earshot.test/r/secret" });
  });
}

/** With the conversation open and its socket in hand. */
async function talking(server: Server = { items: [conversation()], events: [] }) {
  if (!localStorage.getItem(KEY)) keep();
  const requests = serve(server);
  const api = await load();
  api.open!();
  await arrive();
  const socket = FakeWebSocket.all.at(-1)!;
  socket.opens();
  find(".way button").click();
  await arrive();
  return { api, socket, requests, server };
}
const say = (text: string) => {
  write(text, "#reply");
  find(".thread form").dispatchEvent(new Event("submit", { cancelable: true }));
};

describe("a message", () => {
  it("is there at once, and sent once the server has it", async () => {
    const { socket } = await talking();
    say("  The blue pot ");
    expect(texts(".text")).toEqual(["The total is wrong", "The blue pot"]);
    expect(texts(".state")).toEqual(["Sending…"]);
    const event = socket.sent.at(-1)!;
    expect(event).toMatchObject({ type: "MessageSent", data: { feedback_id: ITEM, body: "The blue pot" } });
    expect(stored().said[0].id).toBe(event.id);
    socket.says({ type: "MessageAccepted", re: event.id, data: { id: event.id } });
    await arrive();
    expect(texts(".state")).toEqual([]);
    expect(stored().said).toEqual([]);
    expect(find<HTMLTextAreaElement>("#reply").value).toBe("");
  });

  it("says that it is not sent, keeps its id when it is tried again, and outlives the page", async () => {
    const { socket, server, requests } = await talking();
    socket.ends(1006);
    server.down = true;
    say("The blue pot");
    await arrive();
    expect(texts(".state")).toEqual(["Not sent.Try again"]);
    const { id } = stored().said[0];
    expect(requests.find(({ url }) => url === "https://earshot.test/r/secret/messages")!.body).toEqual({ id, body: "The blue pot" });

    page.Earshot!.destroy!();
    delete page.Earshot;
    const again = await talking();
    expect(texts(".text")).toEqual(["The total is wrong", "The blue pot"]);
    find(".state button").click();
    expect(again.socket.sent.at(-1)!.id).toBe(id);
    again.socket.says({ type: "MessageAccepted", re: id, data: { id } });
    await arrive();
    expect(texts(".state")).toEqual([]);
  });

  it("is sent where it came by the receipt, as the conversation then says", async () => {
    const { socket, server } = await talking();
    socket.ends(1006);
    say("By POST");
    const { id } = stored().said[0];
    server.items = [conversation({ messages: [{ id, author: "visitor", author_name: "", body: "By POST", at }] })];
    await arrive();
    expect(texts(".text")).toEqual(["The total is wrong", "By POST"]);
    expect([texts(".state"), stored().said]).toEqual([[], []]);
  });

  it("says why the server will not have it", async () => {
    const { socket } = await talking();
    say("No");
    const { id } = socket.sent.at(-1)!;
    socket.says({ type: "MessageRejected", re: id, data: { code: "not_found", message: "" } });
    await arrive();
    expect(texts(".state")[0]).toContain("not_found");
  });

  it.each([["", "few words"], ["x".repeat(5_001), "5,000"]])("is looked at before it is sent (%#)", async (text, told) => {
    const { socket } = await talking();
    say(text);
    expect(find(".thread [role=alert]").textContent).toContain(told);
    expect(find("#reply").ariaInvalid).toBe("true");
    expect(socket.sent.some(({ type }) => type === "MessageSent")).toBe(false);
  });
});

describe("what staff do", () => {
  it("is there live: a reply once, the status, and typing for six seconds", async () => {
    const { socket } = await talking();
    socket.says({ type: "AgentTyping", data: { feedback_id: ITEM } });
    expect(find(".thread .typing").textContent).toBe("Support is typing…");
    await settle(5_999);
    expect(find(".thread .typing").textContent).not.toBe("");
    await settle(1);
    expect(find(".thread .typing").textContent).toBe("");
    socket.says(posted(4));
    socket.says(posted(4));
    socket.says({ type: "StatusChanged", epoch: "e1", seq: 5, data: { feedback_id: ITEM, status: "resolved" } });
    expect(texts(".text")).toEqual(["The total is wrong", "reply 4"]);
    expect(texts(".bar .badge")).toEqual(["Resolved"]);
    expect(stored()).toMatchObject({ epoch: "e1", since: 5, unread: [] });
  });

  it("never shows as markup", async () => {
    const { socket } = await talking();
    socket.says({ ...posted(4), data: { ...posted(4).data, body: "<img src=x onerror=alert(1)>" } });
    expect(texts(".text")[1]).toBe("<img src=x onerror=alert(1)>");
    expect(find(".log img")).toBeNull();
  });
});

it("conversations are all there, however many pages the server makes of them", async () => {
  await talking({ items: Array.from({ length: 7 }, (_, n) => conversation({ id: `c${n}`, message: `text ${n}` })), events: [] });
  expect(texts(".first").sort()).toEqual(Array.from({ length: 7 }, (_, n) => `text ${n}`));
});

describe("unread replies", () => {
  it("are told while the form is open", async () => {
    keep();
    const server: Server = { items: [conversation()], events: [] };
    serve(server);
    const api = await load();
    api.open!();
    await arrive();
    const way = find(".panel .way");
    expect([way.getAttribute("aria-live"), way.textContent]).toEqual(["polite", "Your messages"]);
    FakeWebSocket.all.at(-1)!.opens();
    FakeWebSocket.all.at(-1)!.says(posted(3));
    await arrive();
    expect(way.textContent).toBe("Your messages1 new reply");
  });

  it("are asked for once, at the visitor's first act, where something was submitted", async () => {
    keep();
    const requests = serve({ items: [], events: [posted(3), posted(7)] });
    const api = await load();
    const heard = vi.fn();
    api.on!("reply", heard);
    document.dispatchEvent(new Event("scroll"));
    await settle(1_000);
    expect(requests).toHaveLength(0);
    act();
    act();
    await arrive();
    expect(requests.map(({ url, body }) => [url, body])).toEqual([["https://earshot.test/w/pk_test/poll", { since: 0 }]]);
    expect(find(".launcher").textContent).toBe("Feedback2 new replies");
    expect(heard.mock.calls.map(([{ detail }]) => detail.unread)).toEqual([1, 2]);
    expect(stored()).toMatchObject({ epoch: "e1", since: 7, unread: [ITEM, ITEM] });
    api.off!("reply");
  });

  it.each([
    ["nothing was submitted", () => {}, {}],
    ["storage is off", () => keep(), { storage: "off" }],
  ])("are nobody's where %s", async (_, before, script) => {
    before();
    const requests = serve({ items: [], events: [posted(3)] });
    await load(config(), script);
    act();
    await settle(60_000);
    expect([requests.length, find(".launcher").textContent]).toEqual([0, "Feedback"]);
  });

  it("go on from where another page has heard, and open the conversation that they are in", async () => {
    keep({ epoch: "e1", since: 7, unread: [ITEM] });
    const other = conversation({ id: "other", message: "Another" });
    const requests = serve({ items: [other, conversation()], events: [posted(7)] });
    const api = await load();
    act();
    await arrive();
    expect(requests[0]!.body).toEqual({ epoch: "e1", since: 7 });
    expect(find(".launcher").textContent).toBe("Feedback1 new reply");
    api.open!();
    await arrive();
    expect(texts(".text")).toEqual(["The total is wrong"]);
    expect([find(".launcher").textContent, stored().unread]).toEqual(["Feedback", []]);
    find(".all").click();
    expect(texts(".first")).toHaveLength(2);
    api.close!();
    api.open!();
    await arrive();
    expect(find("#message")).not.toBeNull();
  });

  it("are asked for from the start where it cannot be said what came since", async () => {
    keep({ epoch: "e0", since: 7 });
    const requests = fakeFetch(({ body }) => {
      const late = (body as unknown as { since: number }).since > 0;
      return reply(200, { epoch: "e1", head: 9, events: [late ? { type: "ResumeFailed", data: { reason: "epoch_changed" } } : posted(2)] });
    });
    await load();
    act();
    await arrive();
    expect(requests.map(({ body }) => (body as unknown as { since: number }).since)).toEqual([7, 0]);
    expect(find(".launcher").textContent).toBe("Feedback1 new reply");
  });

  it("do not take the place of a kind that the page asked for, nor of a draft", async () => {
    keep({ epoch: "e1", since: 7, unread: [ITEM] });
    serve({ items: [conversation()], events: [] });
    const api = await load();
    act();
    await arrive();
    api.open!("bug");
    await arrive();
    expect(find("#message")).not.toBeNull();
    expect(find(".way button").textContent).toBe("Your messages1 new reply");
  });

  it("are asked for once, also where the panel opens while the script is on its way", async () => {
    keep({ epoch: "e1", since: 7 });
    const requests = serve({ items: [conversation()], events: [] });
    const api = await load();
    act();
    await settle();
    api.open!();
    await arrive();
    expect(requests.filter(({ url }) => url.endsWith("/poll"))).toHaveLength(1);
  });

  it("may be read in another tab", async () => {
    keep({ epoch: "e1", since: 7, unread: [ITEM] });
    serve({ items: [conversation()], events: [] });
    await load();
    act();
    await arrive();
    keep({ epoch: "e1", since: 7, unread: [] });
    dispatchEvent(new Event("storage"));
    expect(find(".launcher").textContent).toBe("Feedback");
  });
});

describe("another visitor", () => {
  it("sees nothing of the one before after a reset", async () => {
    const { api, server, socket } = await talking();
    write("half a reply", "#reply");
    server.items = [];
    api.reset!();
    await arrive();
    expect(find("#message")).not.toBeNull();
    expect(find(".root").textContent).not.toContain("The total is wrong");
    expect(stored()).not.toMatchObject({ token: TOKEN });
    socket.says(posted(8));
    expect(find(".launcher").textContent).toBe("Feedback");
    find(".way button").click();
    await arrive();
    expect(find(".list").textContent).toContain("Nothing here yet");
  });

  it("of another tab ends the conversation here", async () => {
    await talking();
    localStorage.setItem(KEY, JSON.stringify({ token: "u".repeat(43), entries: [] }));
    dispatchEvent(new Event("storage"));
    expect(find("#message")).not.toBeNull();
    expect(find(".root").textContent).not.toContain("The total is wrong");
  });
});

describe("right after sending", () => {
  it("offers the conversation", async () => {
    serve({ items: [], events: [] });
    const api = await load();
    api.open!();
    await arrive();
    expect(find(".way button")).toBeNull();
    write("Hello");
    submit();
    await arrive();
    expect(find<HTMLButtonElement>(".way button").hidden).toBe(false);
    find(".result .primary").click();
    await arrive();
    expect(find("h2").textContent).toBe("Your messages");
  });
});

describe("without a socket", () => {
  it("the conversation is asked for while it is looked at, and not afterwards", async () => {
    const { socket, requests, server, api } = await talking();
    socket.ends(1006);
    server.events = [posted(4)];
    await settle(5_000);
    expect(texts(".text")).toEqual(["The total is wrong", "reply 4"]);
    api.close!();
    await settle(10_000);
    const before = requests.length;
    await settle(120_000);
    expect(requests.length).toBe(before);
  });
});
