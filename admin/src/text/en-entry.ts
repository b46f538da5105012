// What somebody reads who is not signed in.
import type { Role } from "../session/types";
import { counted } from "./format";
import { isolate } from "./isolate";

const article: Record<Role, string> = { owner: "an owner", admin: "an admin", agent: "an agent", viewer: "a viewer" };

export const entry = {
  limited(ms: number): string {
    const seconds = Math.ceil(ms / 1000);
    const wait = seconds < 90 ? counted(seconds, "second", "seconds") : counted(Math.ceil(seconds / 60), "minute", "minutes");
    return `Too many attempts. Try again in ${wait}.`;
  },
  toLogin: "Go to sign-in",
  toDashboard: "Go to the dashboard",
  passwordHint: "At least 12 characters. A sentence you remember is better than symbols you don't.",
};

export const login = {
  title: "Sign in",
  lead: "Welcome back. Your visitors are waiting to be heard.",
  email: "E-mail",
  password: "Password",
  submit: "Sign in",
  busy: "Signing in…",
  wrong: "E-mail and password do not match.",
  expired: "You were signed out. Sign in to return to where you were.",
  left: "You are signed out.",
  or: "or",
  provider: (name: string) => `Continue with ${isolate(name)}`,
  forgot: "Forgot your password?",
  noMail: "Forgot your password? This server sends no e-mail: whoever runs it can reset it for you.",
  signup: "Create an organisation",
  codeTitle: "Enter your code",
  codeLead: "Your password is right. Now the code that your authenticator app shows.",
  code: "Code",
  recoveryLead: "Your password is right. Now one of the recovery codes that you kept. Each is good once.",
  recoveryCode: "Recovery code",
  useRecovery: "Use a recovery code",
  useCode: "Use the code of your app",
  wrongCode: "This code is not right, or was used already.",
  otherAccount: "Sign in as somebody else",
  oidc: {
    expired: "That took too long, or was begun in another window. Try again.",
    denied: "The sign-in was cancelled.",
    failed: "The other provider did not confirm who you are. Try again; if it stays like this, tell whoever runs this server.",
    unknown: "Nobody here has the address of that account. Ask for an invitation.",
    unverified: "The other provider has not confirmed your address yet. Confirm it there, then try again.",
    unavailable: "The other provider cannot be reached. Try again in a moment, or use your password.",
  },
  setupNeeded: "This server has no account yet. Open the setup link that it printed when it started.",
};

export const setup = {
  title: "Set up Earshot",
  lead: "Create the first account. It owns the organisation and everything in it.",
  name: "Your name",
  organization: "Organisation",
  email: "E-mail",
  password: "Password",
  submit: "Create account",
  busy: "Creating…",
  noToken: "This page needs the one-time link that the server printed when it started, with its #token.",
  done: "This server is already set up.",
  refused: "The setup link is not valid any more. Restart the server to get a new one.",
};

export const forgot = {
  title: "Forgot your password?",
  lead: "We mail you a link to choose a new one.",
  email: "E-mail",
  submit: "Mail me a link",
  busy: "Sending…",
  sent: (email: string) => `If there is an account for ${isolate(email)}, a mail with a link is on its way. The link is good for an hour.`,
  again: "Nothing there? Look among the unwanted mail, or try again in a few minutes.",
  noMail: "This server sends no e-mail. Whoever runs it can reset your password for you.",
  back: "Back to sign-in",
};

export const reset = {
  title: "Choose a new password",
  lead: "You are signed out everywhere afterwards, and sign in with the new one.",
  password: "New password",
  submit: "Save the password",
  busy: "Saving…",
  done: "Your password is changed",
  doneLead: "All sessions have ended. Sign in with your new password.",
  bad: "This link is not good any more",
  badLead: "It was used already, or is older than an hour.",
  again: "Get a new link",
};

export const verify = {
  title: "Confirm your address",
  busy: "Confirming…",
  done: "Your address is confirmed",
  doneLead: "Thank you. That was all.",
  bad: "This link is not good any more",
  badLead: "It was used already, or is older than three days. Your account page can send a new one.",
  failed: "Your address could not be confirmed.",
};

export const signup = {
  title: "Create your organisation",
  lead: "For you and your team. You can invite others as soon as you are in.",
  name: "Your name",
  organization: "Organisation",
  email: "E-mail",
  password: "Password",
  submit: "Create account",
  busy: "Creating…",
  closed: "Nobody can sign up here by themselves. Ask somebody who is in for an invitation.",
  have: "You have an account?",
  signIn: "Sign in",
};

export const join = {
  title: (organization: string) => `Join ${isolate(organization)}`,
  loading: "Invitation",
  role: (role: Role) => `You are invited as ${article[role]}.`,
  until: (day: string) => `The invitation is good until ${day}.`,
  name: "Your name",
  email: "E-mail",
  emailHint: "The invitation is for this address.",
  password: "Password",
  submit: "Create account and join",
  busy: "Joining…",
  have: "You have an account here?",
  signIn: "Sign in and join with it",
  as: (email: string) => `Join as ${isolate(email)}`,
  other: "Use another account",
  already: "You belong to this organisation already.",
  bad: "This invitation is not good any more",
  badLead: "It was used already, was taken back, or has expired. Ask whoever invited you for a new one.",
  failed: "The invitation could not be opened.",
};
