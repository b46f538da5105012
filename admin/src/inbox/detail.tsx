import { useSignal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { useDashboard } from "../context";
import { pages } from "../shell/pages";
import { currentHref } from "../router";
import type { Viewer, Viewers as AllViewers } from "../live/presence";
import type { Feedback, Status } from "../session/types";
import type { Field } from "../triage/changes";
import { t } from "../text/en";
import { Dialog } from "../ui/dialog";
import { Icon, StatusIcon } from "../ui/icons";
import { Menu, MenuItem } from "../ui/menu";
import { Empty } from "../ui/notices";
import type { Inbox } from "./inbox";
import { ItemBody, type AnswerPort } from "./item-body";
import { statuses } from "./query";
import type { Shelf } from "./shelf";
import { Viewers } from "./viewers";

/** Status and selection belong to the page: a change may take the item out of the view, and then another one opens. */
interface DetailProps {
  inbox: Inbox;
  selectedId: string | null;
  shelf: Shelf;
  viewers: AllViewers;
  port: AnswerPort;
  onStatus(item: Feedback, status: Status): void;
  /** Asks for another of the item's properties. */
  onEdit(field: Field): void;
  onStep(by: 1 | -1): void;
  onBack(): void;
}

/** The right pane. It shows the row's item at once and fills in what only the whole item has, so that opening never flashes. */
export function DetailPane(props: DetailProps) {
  const { inbox, selectedId } = props;
  const item = inbox.item.value;
  const detail = inbox.detail.value;
  if (!selectedId) return null;
  if (item) return <Item {...props} item={item} />;
  if (detail.name === "gone") {
    return (
      <Empty icon="trash" title={t.inbox.gone} lead={t.inbox.goneLead} testid="detail-gone">
        <button type="button" class="button" onClick={props.onBack}>{t.common.back}</button>
      </Empty>
    );
  }
  if (detail.name === "failed") {
    return (
      <Empty icon="alert" title={t.inbox.itemFailed} testid="detail-failed">
        <button type="button" class="button" onClick={() => inbox.open(selectedId)}>{t.common.retry}</button>
      </Empty>
    );
  }
  return <div class="boot-bar" role="status" aria-label={t.common.loading} />;
}

const nobody: readonly Viewer[] = [];

/** Keyed by nothing: going on to the next item keeps the pane, so that the focus stays on the button that was pressed. */
function Item({ inbox, item, shelf, viewers: all, port, onStatus, onEdit, onStep, onBack }: DetailProps & { item: Feedback }) {
  const { workspace } = useDashboard();
  const viewers = all.get(item.id) ?? nobody;
  return (
    <article class="item" data-testid="detail" data-id={item.id} data-status={item.status}>
      <header class="item-bar">
        <button type="button" class="icon-button only-narrow" aria-label={t.common.back} data-testid="back" onClick={onBack}>
          <Icon name="back" class="mirrored" />
        </button>
        <button type="button" class="icon-button" aria-label={t.inbox.previous} onClick={() => onStep(-1)}><Icon name="up" /></button>
        <button type="button" class="icon-button" aria-label={t.inbox.next} onClick={() => onStep(1)}><Icon name="down" /></button>
        {/* Reading on this side, deciding on the other: the buttons that change something keep their place. */}
        <span class="fill" />
        <Viewers viewers={viewers} testid="viewers" />
        {workspace.canTriage.value && <Triage inbox={inbox} item={item} onStatus={onStatus} onErased={onBack} />}
      </header>
      <ItemBody key={item.id} inbox={inbox} item={item} shelf={shelf} viewers={viewers} port={port} onEdit={onEdit} />
    </article>
  );
}

interface TriageProps extends Pick<DetailProps, "inbox" | "onStatus"> {
  item: Feedback;
  onErased(): void;
}

/** What may be done with the item. Viewers see none of it, and only owners and admins may erase. */
function Triage({ inbox, item, onStatus, onErased }: TriageProps) {
  const { workspace } = useDashboard();
  // The one that was meant: another item may be opened below the dialog, by the way back.
  const erasing = useSignal<string | null>(null);
  // Both are done with; the difference (helped, or not going to) is told by the status beside it.
  const settled = item.status === "resolved" || item.status === "closed";
  return (
    <>
      {/* Hidden from those who may not, rather than refused: the server refuses it all the same. */}
      {workspace.canManage.value && (
        <button type="button" class="icon-button" aria-label={t.inbox.erase} data-testid="erase" onClick={() => (erasing.value = item.id)}>
          <Icon name="trash" />
        </button>
      )}
      <Menu
        class="button"
        testid="status-menu"
        align="end"
        face={<><StatusIcon status={item.status} /><span class="visually-hidden">{t.filters.status} </span><span class="status-label">{t.status[item.status]}</span><Icon name="chevron" class="faint" /></>}
      >
        {statuses.map((status) => (
          <MenuItem key={status} checked={status === item.status} testid={`status-${status}`} onPick={() => onStatus(item, status)}>
            <StatusIcon status={status} />
            {t.status[status]}
            {status === item.status && <Icon name="check" class="end" />}
          </MenuItem>
        ))}
      </Menu>
      <button
        type="button"
        class={settled ? "button" : "button primary"}
        data-testid="resolve"
        aria-keyshortcuts={settled ? undefined : "e"}
        onClick={() => onStatus(item, settled ? "open" : "resolved")}
      >
        {settled ? t.inbox.reopen : t.inbox.resolve}
      </button>
      {erasing.value === item.id && <EraseDialog item={item} onClose={() => (erasing.value = null)} onErase={() => inbox.erase(item.id)} onErased={onErased} />}
    </>
  );
}

interface EraseProps {
  item: Feedback;
  onClose(): void;
  onErase(): Promise<boolean>;
  onErased(): void;
}

/** Asks first: there is no undo for an erasure, on any side. The dialog closes before the answer, the notice follows it. */
function EraseDialog({ item, onClose, onErase, onErased }: EraseProps) {
  const { notices } = useDashboard();
  const all = useSignal(false);
  // Also where the item below it went away: the dialog must not be there again with that item.
  useLayoutEffect(() => onClose, []);
  const erase = async (): Promise<void> => {
    // Closed first: with the answer the item is gone, and the dialog would lose what it belongs to.
    onClose();
    const here = currentHref.peek();
    if (!(await onErase())) return;
    notices.show(t.inbox.erased);
    // Whoever has gone on meanwhile stays where they are.
    if (currentHref.peek() === here) onErased();
  };
  // It stays when the item goes with the rest: the report is still to be read.
  if (all.value) return <pages.eraseVisitor.Page projectId={item.project_id} of={{ session_id: item.visitor.session_id }} onClose={onClose} />;
  return (
    <Dialog title={t.inbox.eraseTitle} onClose={onClose} testid="erase-dialog">
      <p class="dialog-text">{t.inbox.eraseLead}</p>
      <footer class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>{t.common.cancel}</button>
        <button type="button" class="button" data-testid="erase-all" onClick={() => (all.value = true)}>{t.inbox.eraseVisitor}</button>
        <button type="button" class="button danger" data-testid="erase-confirm" onClick={erase}>{t.inbox.erase}</button>
      </footer>
    </Dialog>
  );
}
