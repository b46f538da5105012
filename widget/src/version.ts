/** Names this build and its locale files in pinned addresses; the build puts in the hash of what it made. */
export const VERSION = "@earshot-version@";
