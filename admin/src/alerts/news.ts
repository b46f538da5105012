import type { ServerEvent } from "../live/events";

/** Something that somebody may want to be told of. */
export interface News {
  /** The event's place in its project's log: the same in every tab that hears it. */
  key: string;
  kind: "feedback" | "answer" | "assigned";
  projectId: string;
  feedbackId: string;
  /** The visitor's words; empty where the news is not about words. */
  text: string;
}

/** What an event is to the member `me`. Staff's own acts and what is kept out of the inbox are no news. */
export function newsIn(event: ServerEvent, me: string): News | null {
  const place = (project: string): string => `${project}:${event.epoch}:${event.seq}`;
  switch (event.type) {
    case "FeedbackReceived": {
      const { id, project_id, message, quarantined } = event.data;
      return quarantined ? null : { key: place(project_id), kind: "feedback", projectId: project_id, feedbackId: id, text: message };
    }
    case "MessagePosted": {
      const { feedback_id, project_id, author, body } = event.data;
      return author.kind === "visitor" ? { key: place(project_id), kind: "answer", projectId: project_id, feedbackId: feedback_id, text: body ?? "" } : null;
    }
    case "FeedbackUpdated": {
      const { id, project_id, changes, by } = event.data;
      const given = changes.assignee_id === me && by.user_id !== me;
      return given ? { key: place(project_id), kind: "assigned", projectId: project_id, feedbackId: id, text: "" } : null;
    }
    default:
      return null;
  }
}
