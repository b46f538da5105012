import type { components } from "../../../realtime/protocol/ts";

// Short names for the generated schemas, so that a renamed one is mended in one place.
type Schemas = components["schemas"];

export type Me = Schemas["Me"];
/** `attachment_count` is of an item that has just arrived, whose files are not read yet. */
export type Feedback = Schemas["Feedback"] & { attachment_count?: number };
export type FeedbackPage = Schemas["FeedbackList"];
export type Status = Feedback["status"];
export type Kind = NonNullable<Feedback["kind"]>;
export type Texts = Schemas["WidgetTexts"];
/** The schema allows `kinds` to be null; the server always sends a list, and an empty one means that none are offered. */
export type Settings = Schemas["ProjectSettings"] & { kinds: Kind[] };
export type Project = Omit<Schemas["Project"], "settings"> & { settings: Settings };
export type ProjectPage = Omit<Schemas["ProjectList"], "items"> & { items: Project[] };
export type NewProject = Schemas["NewProject"];
export type ProjectPatch = Schemas["ProjectPatch"];
export type SetupBody = Schemas["Setup"];
export type SetupState = Schemas["SetupState"];
export type SignUpBody = Schemas["SignUp"];
export type JoinBody = Schemas["JoinByInvite"];
export type SignInMethods = Schemas["SignInMethods"];
export type Credentials = Schemas["Credentials"];
export type Ticket = Schemas["Ticket"];
export type Message = Schemas["Message"];
export type MessagePage = Schemas["MessageList"];
export type NewMessage = Schemas["NewMessage"];
export type Visibility = Message["visibility"];
export type Job = Schemas["Job"];
export type JobPage = Schemas["JobList"];
export type NewExport = Schemas["NewExport"];
export type Insights = Schemas["Insights"];
export type CannedReply = Schemas["CannedReply"];
export type CannedPage = Schemas["CannedReplyList"];
export type Priority = Feedback["priority"];
export type Role = Me["role"];
export type Member = Schemas["TeamMember"];
export type MemberPage = Schemas["TeamMemberList"];
export type BulkItem = Schemas["BulkItem"];
export type BulkResult = Schemas["BulkResult"];
export type BulkChanges = Schemas["BulkChanges"];
export type Block = Schemas["Block"];
export type NewBlock = Schemas["NewBlock"];
export type ErasureReport = Schemas["ErasureReport"];
export type View = Schemas["View"];
export type ViewList = Schemas["ViewList"];
export type BuiltInView = Schemas["BuiltInView"];
export type NewView = Schemas["NewView"];
export type ViewPatch = Schemas["ViewPatch"];
