import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { components } from "../../../realtime/protocol/ts";
import { useDashboard } from "../context";
import type { Member } from "../session/types";
import { team as words } from "../text/en-team";
import { Confirm } from "../ui/confirm";

interface RemoveMemberProps {
  member: Member;
  /** They leave by themselves. */
  own: boolean;
  /** Whoever removes them may end API keys as well. */
  manages: boolean;
  onRemoved(): void;
  onClose(): void;
}

/** Asks before somebody goes, and what becomes of the API keys that they made: they may know them by heart. */
export function RemoveMember({ member, own, manages, onRemoved, onClose }: RemoveMemberProps) {
  const { session } = useDashboard();
  const keys = useSignal<readonly string[]>([]);
  const ending = useSignal(true);
  useEffect(() => {
    if (!manages) return;
    void session.request<{ items: components["schemas"]["APIKey"][] }>("GET", "/api-keys?limit=200").then(
      ({ items }) => (keys.value = items.filter(({ created_by }) => created_by === member.id).map(({ name }) => name)),
      () => undefined,
    );
  }, []);
  const remove = async (): Promise<void> => {
    await session.request("DELETE", `/members/${member.id}${keys.value.length && ending.value ? "?revoke_api_keys=true" : ""}`);
    onRemoved();
  };
  return (
    <Confirm
      title={own ? words.leaveTitle : words.removeTitle(member.name)}
      lead={own ? words.leaveLead : words.removeLead}
      action={own ? words.leave : words.remove}
      onConfirm={remove}
      onClose={onClose}
      testid="remove-member"
    >
      {keys.value.length > 0 && (
        <label class="check dialog-check">
          <input type="checkbox" checked={ending.value} data-testid="remove-keys" onChange={(event) => (ending.value = event.currentTarget.checked)} />
          <span>{words.removeKeys(keys.value)}</span>
        </label>
      )}
    </Confirm>
  );
}
