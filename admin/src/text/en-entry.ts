// What somebody reads who is not signed in.

export const login = {
  title: "Sign in",
  lead: "Welcome back. Your visitors are waiting to be heard.",
  email: "E-mail",
  password: "Password",
  submit: "Sign in",
  busy: "Signing in…",
  wrong: "E-mail and password do not match.",
  expired: "Your session has ended. Sign in to return to where you were.",
  left: "You are signed out.",
  setupNeeded: "This server has no account yet. Open the setup link that it printed when it started.",
};

export const setup = {
  title: "Set up Earshot",
  lead: "Create the first account. It owns the organisation and everything in it.",
  name: "Your name",
  organization: "Organisation",
  email: "E-mail",
  password: "Password",
  passwordHint: "At least 12 characters. A sentence you remember is better than symbols you don't.",
  submit: "Create account",
  busy: "Creating…",
  noToken: "This page needs the one-time link that the server printed when it started, with its #token.",
  done: "This server is already set up.",
  toLogin: "Go to sign-in",
  refused: "The setup link is not valid any more. Restart the server to get a new one.",
};
