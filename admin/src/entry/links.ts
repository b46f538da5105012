// What links in mails lead to, and the ways to an account: one file, because each costs a request and people need one of
// them once.
export { ForgotPage } from "./forgot";
export { JoinPage } from "./join";
export { ResetPage } from "./reset";
export { SignUpPage } from "./sign-up";
export { VerifyPage } from "./verify";
