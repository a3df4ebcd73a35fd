/**
 * A line on standard error in the middle of something. On a terminal it takes the place of a bar, which is drawn again
 * below.
 */
export function say(text: string): void {
  process.stderr.write(`${process.stderr.isTTY ? '\r\u001B[K' : ''}${text}\n`);
}

/** Something went wrong that does not end the work. */
export function warn(text: string): void {
  say(`vastmax: warning: ${text}`);
}
