// What an inbox needs as soon as somebody acts in it, and not before: one file, because each costs a request.
export { ViewDialog } from "../views/view-dialog";
export { SelectionBar } from "../triage/selection-bar";
export { Picking } from "../triage/picking";
export { ConflictDialog } from "./conflict";
export { DetailPane } from "./detail";
export { FilterPanel } from "./filter-panel";
