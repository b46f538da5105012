import { assertNever, type components, type VisitorServerEvent } from "../../../realtime/protocol/ts";
import type { Config } from "../config";
import type { Ask } from "../delivery";
import type { Outbox, Said } from "../outbox";
import { uuidv7 } from "../uuid";
import { askAs } from "./request";

/** How long "is typing" holds when nothing more comes. */
const TYPING_MS = 6_000;
const POST_TIMEOUT_MS = 15_000;
const MOST_PAGES = 50;

type Conversation = components["schemas"]["Conversation"];
type List = components["schemas"]["ConversationList"];

/** One message on screen. */
export interface Line {
  id: string;
  mine: boolean;
  name: string;
  body: string;
  at: string;
  /** Of one's own: none once the server has it. */
  state?: "sending" | "failed";
  /** The server's code, where it will not have it. */
  code?: string;
}

/** An item of the visitor's, its own text the first of its lines. */
export interface Item extends Pick<Conversation, "id" | "status" | "receipt_url"> {
  lines: Line[];
  typing: boolean;
}

export interface Store {
  /** The latest word first. */
  items(): Item[];
  /** `loading` until there was an answer; `failed` when there was none. */
  state(): "loading" | "ready" | "failed";
  load(): Promise<void>;
  hear(event: VisitorServerEvent): void;
  /** Sends what the visitor says, or says again: the same id is the same message whatever the way and the number of tries. */
  say(item: Item, body: string): void;
  retry(item: Item, line: Line): void;
}

export interface StoreOptions {
  config: Config;
  outbox: Pick<Outbox, "token" | "use">;
  ask: Ask;
  onChange(): void;
}

/** Events that ask nothing of a conversation, or are an answer to what asked for it. */
type Unheard = { type: "Connected" | "Resumed" | "ResumeFailed" | "DraftAccepted" | "FeedbackReceived" | "MessageAccepted" | "MessageRejected" | "GoingAway" | "Error" | "Pong" };

/** What a visitor and staff said to each other, as far as it is known here. */
export function createStore({ config, outbox, ask, onChange }: StoreOptions): Store {
  let items: Item[] = [];
  let state: ReturnType<Store["state"]> = "loading";
  /** Whose they are. */
  let owner = "";
  /** Told while the list was under way, which may be older. */
  let statuses = new Map<string, Item["status"]>();
  const typing = new Map<string, ReturnType<typeof setTimeout>>();

  const find = (id: string): Item | undefined => items.find((item) => item.id === id);
  const latest = ({ lines }: Item): number => Math.max(...lines.map(({ at }) => +new Date(at)));

  async function load(): Promise<void> {
    const token = outbox.token();
    if (token !== owner) {
      items = [];
      state = "loading";
      owner = token;
    }
    const told = (statuses = new Map());
    try {
      const all = await read(token);
      if (outbox.token() !== token) return;
      items = all.map((fresh) => merge(fresh, find(fresh.id), told));
      state = "ready";
    } catch (error) {
      // 401: of this visitor nothing has arrived yet.
      if (error === 401) state = "ready";
      else if (state === "loading") state = "failed";
    }
    onChange();
  }

  /** All of them, however old: a visitor has few, and the bound is for a server that is wrong about the last page. */
  async function read(token: string): Promise<Conversation[]> {
    const all: Conversation[] = [];
    for (let cursor: string | null = "", left = MOST_PAGES; cursor !== null && left; left--) {
      const page: List = await askAs(token, `${config.api}/w/${config.key}/conversations?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      all.push(...page.items);
      cursor = page.next_cursor;
    }
    return all;
  }

  function merge(fresh: Conversation, old: Item | undefined, told: typeof statuses): Item {
    const lines: Line[] = [{ id: fresh.id, mine: true, name: "", body: fresh.message, at: fresh.created_at }];
    for (const { id, author, author_name, body, at } of fresh.messages) lines.push({ id, mine: author === "visitor", name: author_name, body, at });
    const add = (line: Line) => lines.some(({ id }) => id === line.id) || lines.push(line);
    // Live while the list was under way, or not sent yet; then what an earlier page could not send.
    old?.lines.forEach(add);
    unsaid(fresh.id, lines).forEach(({ id, body, at }) => add({ id, mine: true, name: "", body, at, state: "failed" }));
    return { id: fresh.id, status: told.get(fresh.id) || fresh.status, receipt_url: fresh.receipt_url, lines, typing: typing.has(fresh.id) };
  }

  /** What is kept of one item's messages that had not arrived; what has by now is forgotten. */
  function unsaid(item: string, lines: Line[]): Said[] {
    const arrived = (said: Said) => lines.some(({ id, state }) => id === said.id && !state);
    return outbox.use((kept) => {
      if (kept.said) kept.said = kept.said.filter((said) => !arrived(said));
      return (kept.said || []).filter(({ feedback_id }) => feedback_id === item);
    });
  }

  function hear(event: VisitorServerEvent): void {
    if (outbox.token() !== owner) return;
    switch (event.type) {
      case "ReplyPosted": {
        const { feedback_id, message_id: id, author_name: name, body, at } = event.data;
        const item = find(feedback_id);
        if (!item) return void load();
        if (!item.lines.some((line) => line.id === id)) item.lines.push({ id, mine: false, name, body, at });
        return rest(item);
      }
      case "StatusChanged": {
        const { feedback_id, status } = event.data;
        statuses.set(feedback_id, status);
        const item = find(feedback_id);
        if (item) item.status = status;
        return onChange();
      }
      case "AgentTyping":
        return type(event.data.feedback_id);
      default:
        assertNever(event as Exclude<typeof event, Unheard>);
    }
  }

  function type(id: string): void {
    clearTimeout(typing.get(id));
    typing.set(id, setTimeout(() => rest(find(id), id), TYPING_MS));
    const item = find(id);
    if (item) item.typing = true;
    onChange();
  }

  function rest(item?: Item, id = item!.id): void {
    clearTimeout(typing.get(id));
    typing.delete(id);
    if (item) item.typing = false;
    onChange();
  }

  function say(item: Item, body: string): void {
    const line: Line = { id: uuidv7(), mine: true, name: "", body, at: new Date().toISOString() };
    outbox.use((kept) => (kept.said ||= []).push({ id: line.id, feedback_id: item.id, body, at: line.at }));
    item.lines.push(line);
    void retry(item, line);
  }

  async function retry({ id: feedback_id, receipt_url }: Item, { id, body }: Line): Promise<void> {
    settle(id, "sending");
    const answer = await ask(owner, { type: "MessageSent", id, data: { feedback_id, body } });
    if (answer?.type === "MessageAccepted") return settle(id);
    const code = answer?.type === "MessageRejected" && answer.data.code;
    // It may be the node that is in trouble and not the message.
    if (code && code !== "internal" && code !== "unavailable") return settle(id, "failed", code === "rate_limited" ? undefined : code);
    await post(receipt_url, id, body);
    const arrived = items.some(({ lines }) => lines.some((line) => line.id === id && !line.state));
    settle(id, arrived ? undefined : "failed");
  }

  /** The receipt answers no foreign page. Whether it took the message is to be seen in the conversation. */
  async function post(receipt: string, id: string, body: string): Promise<void> {
    // By the page's way to the server, where that is a proxy.
    const address = config.api + receipt.replace(/.*(?=\/r\/)/, "");
    const request = { method: "POST", mode: "no-cors", credentials: "omit", body: JSON.stringify({ id, body }) } as const;
    await fetch(`${address}/messages`, { ...request, signal: AbortSignal.timeout(POST_TIMEOUT_MS) }).catch(() => {});
    await load();
  }

  function settle(id: string, state?: Line["state"], code?: string): void {
    for (const { lines } of items) for (const line of lines) if (line.id === id) Object.assign(line, { state, code });
    if (!state) outbox.use((kept) => (kept.said = kept.said?.filter((said) => said.id !== id)));
    onChange();
  }

  return {
    items: () => items.sort((a, b) => latest(b) - latest(a)),
    state: () => state,
    load,
    hear,
    say,
    retry,
  };
}
