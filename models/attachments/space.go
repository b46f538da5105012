package attachments

import "syscall"

// errNoSpace is what a full disk answers.
const errNoSpace = syscall.ENOSPC
