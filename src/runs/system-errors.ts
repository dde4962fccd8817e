// Errors of the system in words: no reader of a message has to know what ELOOP is.

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'you may not read or write it',
  EPERM: 'you may not change it',
  EROFS: 'its disk is read-only',
  EISDIR: 'it is a folder where a file is needed',
  ENOTDIR: 'a part of its path is a file where a folder is needed',
  ENOSPC: 'its disk is full',
  EDQUOT: 'the disk quota is used up',
  ELOOP: 'it is a link that leads back to itself',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EBUSY: 'another process holds it',
  ETXTBSY: 'another process holds it',
  EEXIST: 'something else stands there already',
  ENOTEMPTY: 'a folder that is not empty stands there',
  EIO: 'its disk does not answer',
  EFBIG: 'it would become larger than its disk allows',
};

/** The end of a sentence: "… cannot be read: it is a folder where a file is needed". */
export function whyOf(cause: unknown): string {
  return WHY[(cause as NodeJS.ErrnoException | null)?.code ?? ''] ?? 'the system refuses it';
}

/** The same for an error of ours, whose message is the end of a sentence already. */
export function whyNotRead(cause: unknown): string {
  return isSystemError(cause) ? whyOf(cause) : (cause as Error).message;
}

/** Whether the system refused something, as opposed to a fault of the program. */
export function isSystemError(cause: unknown): cause is NodeJS.ErrnoException {
  const { code, syscall } = (cause ?? {}) as NodeJS.ErrnoException;
  return typeof code === 'string' && typeof syscall === 'string';
}
